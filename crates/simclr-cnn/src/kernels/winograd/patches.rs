//! Patches of the input at the 36 points.

use pulp::Simd;

use super::tiles::{Tile, Tiles};
use super::transforms::{PATCH, POINTS, both, input};

/// Distance between the values of two points, `[rows, columns]` each: off a power of two, lest all points
/// share a cache set.
pub(super) fn plane(rows: usize, columns: usize) -> usize {
    rows * columns + 16
}

/// Writes Bᵀ d B of each tile's patch: `[point][tile][channels]`, planes apart as [`plane`] says.
#[inline(always)]
pub(super) fn patches_to_points<S: Simd>(
    simd: S,
    tiles: &Tiles,
    of_task: impl Iterator<Item = Tile>,
    count: usize,
    images: &[f32],
    channels: usize,
    points: &mut [f32],
) {
    let zeros = [0.0; 16];
    let plane = plane(count, channels);
    let [height, width] = tiles.input;
    let lanes = S::F32_LANES;
    assert!(points.len() >= plane * POINTS);
    for (index, tile) in of_task.enumerate() {
        let mut patch = [&zeros[..]; POINTS];
        let mut beyond = [true; POINTS];
        for i in 0..PATCH {
            for j in 0..PATCH {
                // What lies above or to the left of the image wraps around, and is beyond it too.
                let row = (tile.row + i).wrapping_sub(tiles.padding[0]);
                let column = (tile.column + j).wrapping_sub(tiles.padding[1]);
                if row < height && column < width {
                    let start = ((tile.image * height + row) * width + column) * channels;
                    patch[i * PATCH + j] = &images[start..start + channels];
                    beyond[i * PATCH + j] = false;
                }
            }
        }
        for channel in (0..channels).step_by(lanes) {
            let mut square = [[simd.splat_f32s(0.0); PATCH]; PATCH];
            for (p, value) in square.as_flattened_mut().iter_mut().enumerate() {
                if !beyond[p] {
                    *value = S::as_simd_f32s(&patch[p][channel..][..lanes]).0[0];
                }
            }
            let at_points = both!(simd, square, input, 6 => 6);
            for (p, &value) in at_points.as_flattened().iter().enumerate() {
                let slot = &mut points[p * plane + index * channels + channel..][..lanes];
                S::as_mut_simd_f32s(slot).0[0] = value;
            }
        }
    }
}
