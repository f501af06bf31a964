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
    let plane = plane(count, channels);
    let [height, width] = tiles.input;
    let image_len = height * width * channels;
    assert!(points.len() >= plane * POINTS);
    for (index, tile) in of_task.enumerate() {
        let image = &images[tile.image * image_len..][..image_len];
        // What lies above or to the left of the image wraps around, and is beyond it too.
        let row = tile.row.wrapping_sub(tiles.padding[0]);
        let column = tile.column.wrapping_sub(tiles.padding[1]);
        let inside =
            row < height && column < width && row + PATCH <= height && column + PATCH <= width;
        for channel in (0..channels).step_by(S::F32_LANES) {
            let mut square = [[simd.splat_f32s(0.0); PATCH]; PATCH];
            if inside {
                let patch = &image[(row * width + column) * channels + channel..];
                for i in 0..PATCH {
                    let from = &patch[i * width * channels..];
                    let from = &from[..(PATCH - 1) * channels + S::F32_LANES];
                    for j in 0..PATCH {
                        let vector = S::as_simd_f32s(&from[j * channels..][..S::F32_LANES]).0;
                        square[i][j] = vector[0];
                    }
                }
            } else {
                for i in 0..PATCH {
                    let row = row.wrapping_add(i);
                    for j in 0..PATCH {
                        let column = column.wrapping_add(j);
                        if row < height && column < width {
                            let at = (row * width + column) * channels + channel;
                            square[i][j] = S::as_simd_f32s(&image[at..][..S::F32_LANES]).0[0];
                        }
                    }
                }
            }
            let at_points = both!(simd, square, input, 6 => 6);
            for (p, &value) in at_points.as_flattened().iter().enumerate() {
                let slot = &mut points[p * plane + index * channels + channel..][..S::F32_LANES];
                S::as_mut_simd_f32s(slot).0[0] = value;
            }
        }
    }
}
