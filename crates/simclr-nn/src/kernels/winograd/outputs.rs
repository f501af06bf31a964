//! Outputs from the products at the 36 points.

use std::ops::Range;

use pulp::Simd;

use super::points::{load_points, plane, vector_mut};
use super::tiles::Tiles;
use super::transforms::{TILE, both, output};

/// Where outputs are written: `start` numbers into each pixel, and a pixel has `stride` numbers.
pub(super) struct Target<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) stride: usize,
    pub(super) start: usize,
}

/// Writes Aᵀ m A for each tile of `bands`, `width` channels, from `products` m, `[point][tile][width]` in
/// [planes](plane). Returns whether all outputs are finite.
#[inline(always)]
pub(super) fn points_to_outputs<S: Simd>(
    simd: S,
    tiles: &Tiles,
    bands: Range<usize>,
    products: &[f32],
    width: usize,
    target: &mut Target<'_>,
) -> bool {
    let plane = plane(tiles.count(&bands), width);
    let [height, across] = tiles.output;
    let first_row = tiles.rows_before(bands.start);
    let zero = simd.splat_f32s(0.0);
    // x * 0 is 0 for every finite x.
    let mut check = zero;
    for (index, tile) in tiles.of_bands(bands).enumerate() {
        let rows = TILE.min(height - tile.row);
        let columns = TILE.min(across - tile.column);
        let first = (tile.image * height + tile.row - first_row) * across + tile.column;
        for lane in (0..width).step_by(S::F32_LANES) {
            let square = load_points(simd, products, plane, index * width + lane);
            let outputs = both!(simd, square, output, 6 => 4);
            for (i, row) in outputs.iter().enumerate().take(rows) {
                for (j, &value) in row.iter().enumerate().take(columns) {
                    check = simd.mul_add_e_f32s(value, zero, check);
                    let at = (first + i * across + j) * target.stride + target.start + lane;
                    *vector_mut::<S>(target.values, at) = value;
                }
            }
        }
    }
    simd.reduce_sum_f32s(check) == 0.0
}
