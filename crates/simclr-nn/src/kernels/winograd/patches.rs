//! Patches of the input at the 36 points.

use pulp::Simd;

use super::points::{plane, store_points, vector};
use super::tiles::{Tile, Tiles};
use super::transforms::{PATCH, POINTS, both, input};

/// Writes Bᵀ d B for the patch d of each tile: `[point][tile][channels]`, in [planes](plane).
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
        // Rows above the image and columns to its left wrap around to numbers beyond its size.
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
                        square[i][j] = vector::<S>(from, j * channels);
                    }
                }
            } else {
                for i in 0..PATCH {
                    let row = row.wrapping_add(i);
                    for j in 0..PATCH {
                        let column = column.wrapping_add(j);
                        if row < height && column < width {
                            let at = (row * width + column) * channels + channel;
                            square[i][j] = vector::<S>(image, at);
                        }
                    }
                }
            }
            let at_points = both!(simd, square, input, 6 => 6);
            store_points::<S>(&at_points, points, plane, index * channels + channel);
        }
    }
}
