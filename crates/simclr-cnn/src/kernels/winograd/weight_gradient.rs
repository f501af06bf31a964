//! The gradient of a 3x3 kernel: one product over all tiles at each of the 36 points.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::patches::{patches_to_points, plane};
use super::tiles::{Tile, Tiles};
use super::transforms::{POINTS, TILE, both, output_transposed};
use super::weights::gradient_of_weights;
use crate::kernels::product::{Order, Product, Tap, strips};

/// Bytes of values at the points that are held at once: they stay in the last-level cache.
const CHUNK: usize = 12 << 20;
/// Tiles of a block: the length of an inner run.
const BLOCK: usize = 64;

/// `[channels_out, channels_in, 3, 3]` from `images` `[n, h, w, channels_in]` and the gradient of the
/// output `[n, h', w', channels_out]`.
pub(super) fn weight_gradient(
    tiles: &Tiles,
    channels: [usize; 2],
    images: &[f32],
    gradient: &[f32],
) -> Vec<f32> {
    let [channels_out, channels_in] = channels;
    let mut sums = vec![0.0; POINTS * channels_in * channels_out];
    let blocks = tiles.tasks(BLOCK);
    let largest = blocks.iter().map(ExactSizeIterator::len).max().unwrap_or(0) * tiles.across();
    let of_block = POINTS * (plane(largest, channels_in) + plane(largest, channels_out));
    let at_once = (CHUNK / (of_block * 4)).max(1).next_multiple_of(4).min(blocks.len().max(1));
    let mut points = vec![0.0; at_once * of_block];
    for (index, chunk) in blocks.chunks(at_once).enumerate() {
        chunk.par_iter().zip(points.par_chunks_mut(of_block)).for_each(|(bands, points)| {
            let bands = bands.clone();
            Arch::new().dispatch(ToPoints { tiles, channels, bands, images, gradient, points });
        });
        let blocks: Vec<_> = chunk
            .iter()
            .zip(points.chunks(of_block))
            .map(|(bands, points)| (bands.len() * tiles.across(), points))
            .collect();
        multiply(&blocks, channels, &mut sums, index > 0);
    }
    gradient_of_weights(&sums, channels)
}

/// Adds the product of every block to `sums`, `[strip][point][channels_in][width]`.
fn multiply(blocks: &[(usize, &[f32])], channels: [usize; 2], sums: &mut [f32], add: bool) {
    let [channels_out, channels_in] = channels;
    let mut tasks = Vec::new();
    let mut rest = sums;
    for (start, width) in strips(channels_out) {
        for point in 0..POINTS {
            let (target, others) = rest.split_at_mut(channels_in * width);
            rest = others;
            tasks.push((start, width, point, target));
        }
    }
    tasks.into_par_iter().for_each(|(start, width, point, target)| {
        for (index, &(count, values)) in blocks.iter().enumerate() {
            let gradient = POINTS * plane(count, channels_in)
                + POINTS * start * count // Planes of whole strips follow each other.
                + point * count * width;
            Arch::new().dispatch(Product {
                left: &values[point * plane(count, channels_in)..],
                order: Order::Steps(channels_in),
                right: &values[gradient..],
                right_stride: width,
                taps: &[Tap { left: 0, right: 0 }],
                run: count,
                rows: channels_in,
                place: |row| (row, row * width),
                width,
                columns: width,
                target: &mut *target,
                add: add || index > 0,
            });
        }
    });
}

/// The patches of a block at the points, `[point][tile][channels_in]`, and behind them the gradients,
/// `[strip][point][tile][width]`.
struct ToPoints<'a> {
    tiles: &'a Tiles,
    channels: [usize; 2],
    bands: Range<usize>,
    images: &'a [f32],
    gradient: &'a [f32],
    points: &'a mut [f32],
}

impl WithSimd for ToPoints<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let [channels_out, channels_in] = self.channels;
        let count = self.bands.len() * self.tiles.across();
        let (patches, points) = self.points.split_at_mut(POINTS * plane(count, channels_in));
        let of_block = self.tiles.of_bands(self.bands.clone());
        let (tiles, images) = (self.tiles, self.images);
        patches_to_points(simd, tiles, of_block.clone(), count, images, channels_in, patches);
        for (index, tile) in of_block.enumerate() {
            for (start, width) in strips(channels_out) {
                let points = &mut points[POINTS * start * count..];
                for lane in (0..width).step_by(S::F32_LANES) {
                    let square = outputs::<S>(simd, tiles, tile, self.gradient, channels_out, start + lane);
                    let at_points = both!(simd, square, output_transposed, 4 => 6);
                    for (p, &value) in at_points.as_flattened().iter().enumerate() {
                        let at = (p * count + index) * width + lane;
                        S::as_mut_simd_f32s(&mut points[at..][..S::F32_LANES]).0[0] = value;
                    }
                }
            }
        }
    }
}

/// The 4x4 gradients of a tile, zero beyond the image, some channels at once.
#[inline(always)]
fn outputs<S: Simd>(
    simd: S,
    tiles: &Tiles,
    tile: Tile,
    gradient: &[f32],
    channels: usize,
    channel: usize,
) -> [[S::f32s; TILE]; TILE] {
    let [height, width] = tiles.output;
    let mut square = [[simd.splat_f32s(0.0); TILE]; TILE];
    for i in 0..TILE.min(height - tile.row) {
        for j in 0..TILE.min(width - tile.column) {
            let pixel = (tile.image * height + tile.row + i) * width + tile.column + j;
            let at = pixel * channels + channel;
            square[i][j] = S::as_simd_f32s(&gradient[at..][..S::F32_LANES]).0[0];
        }
    }
    square
}
