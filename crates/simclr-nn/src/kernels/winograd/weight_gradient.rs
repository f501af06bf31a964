//! The gradient of a 3x3 kernel: one product over all tiles at each of the 36 points.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::patches::{patches_to_points, plane};
use super::tiles::{Tile, Tiles};
use super::transforms::{POINTS, TILE, both, output_transposed};
use super::weights::FromPoints;
use crate::kernels::product::{Order, Product, STRIP, Tap, strips};
use crate::kernels::scratch::{Shared, with_scratch};

/// Bytes of values at the points that are held at once: they stay in the last-level cache.
const CHUNK: usize = 12 << 20;
/// Tiles of a block: the length of an inner run.
const BLOCK: usize = 64;

/// One block's number of tiles and its values at the points: patches `[point][tile][channels_in]`, and
/// behind them gradients `[strip][point][tile][width]`, planes apart.
type Block<'a> = (usize, &'a [f32]);

/// `[channels_out, channels_in, 3, 3]` from `images` `[n, h, w, channels_in]` and the gradient of the
/// output `[n, h', w', channels_out]`; `None` if not all of it is finite.
pub(super) fn weight_gradient(
    tiles: &Tiles,
    channels: [usize; 2],
    images: &[f32],
    gradient: &[f32],
) -> Option<Vec<f32>> {
    let [channels_out, channels_in] = channels;
    let blocks = tiles.tasks(BLOCK);
    let largest = blocks.iter().map(ExactSizeIterator::len).max().unwrap_or(0) * tiles.across();
    let of_block = POINTS
        * (plane(largest, channels_in) + channels_out.div_ceil(STRIP) * plane(largest, STRIP));
    // Sums at the points that are larger than a chunk are never held: all blocks are, at once.
    let of_strip = POINTS * plane(channels_in, STRIP);
    let by_strips = of_strip * channels_out.div_ceil(STRIP) * 4 > CHUNK / 2;
    let at_once = if by_strips { blocks.len() } else { CHUNK / (of_block * 4) };
    let at_once = at_once.max(1).next_multiple_of(4).min(blocks.len().max(1));
    let mut points = Shared::new(at_once * of_block);
    let mut sums = Shared::new(if by_strips { 0 } else { of_strip * channels_out.div_ceil(STRIP) });
    let mut result = vec![0.0; channels_out * channels_in * 9];
    let mut finite = true;
    for (index, chunk) in blocks.chunks(at_once).enumerate() {
        chunk.par_iter().zip(points.par_chunks_mut(of_block)).for_each(|(bands, points)| {
            let bands = bands.clone();
            Arch::new().dispatch(ToPoints { tiles, channels, bands, images, gradient, points });
        });
        let points = chunk.iter().zip(points.chunks(of_block));
        let points: Vec<Block<'_>> =
            points.map(|(bands, points)| (bands.len() * tiles.across(), points)).collect();
        if !by_strips {
            add_products(&points, channels, &mut sums, index > 0);
            continue;
        }
        let strips: Vec<_> = strips(channels_out).collect();
        let tasks = result.par_chunks_mut(STRIP * channels_in * 9).zip(strips);
        let all = tasks.map(|(gradient, (start, width))| {
            with_scratch(of_strip, |sums| {
                for point in 0..POINTS {
                    let target = &mut sums[point * plane(channels_in, width)..];
                    product_at_point(&points, channels_in, (start, width), point, target, false);
                }
                Arch::new().dispatch(FromPoints { points: sums, gradient, width, channels_in })
            })
        });
        finite &= all.reduce(|| true, |a, b| a && b);
    }
    if !by_strips {
        let tasks = result.par_chunks_mut(STRIP * channels_in * 9).zip(sums.par_chunks(of_strip));
        let all = tasks.map(|(gradient, points)| {
            let width = gradient.len() / (channels_in * 9);
            Arch::new().dispatch(FromPoints { points, gradient, width, channels_in })
        });
        finite &= all.reduce(|| true, |a, b| a && b);
    }
    finite.then_some(result)
}

/// Adds the product of every block to `sums`, `[strip][point][channels_in][width]`, planes apart.
fn add_products(blocks: &[Block<'_>], channels: [usize; 2], sums: &mut [f32], add: bool) {
    let [channels_out, channels_in] = channels;
    let of_strip = POINTS * plane(channels_in, STRIP);
    let strips: Vec<_> = strips(channels_out).collect();
    let tasks = sums.chunks_mut(of_strip).zip(strips).flat_map(|(sums, strip)| {
        let points = sums.chunks_mut(plane(channels_in, strip.1)).take(POINTS).enumerate();
        points.map(move |(point, target)| (strip, point, target))
    });
    tasks.collect::<Vec<_>>().into_par_iter().for_each(|(strip, point, target)| {
        product_at_point(blocks, channels_in, strip, point, target, add);
    });
}

/// The product of every block at one point, `[channels_in, width]`, as or added to `target`.
fn product_at_point(
    blocks: &[Block<'_>],
    channels_in: usize,
    (start, width): (usize, usize),
    point: usize,
    target: &mut [f32],
    add: bool,
) {
    for (index, &(count, values)) in blocks.iter().enumerate() {
        let gradient = POINTS * (plane(count, channels_in) + start / STRIP * plane(count, STRIP));
        Arch::new().dispatch(Product {
            left: &values[point * plane(count, channels_in)..],
            order: Order::Steps(channels_in),
            right: &values[gradient + point * plane(count, width)..],
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
}

/// Writes a [`Block`].
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
        let Self { tiles, channels: [channels_out, channels_in], images, gradient, .. } = self;
        let count = self.bands.len() * tiles.across();
        let (patches, points) = self.points.split_at_mut(POINTS * plane(count, channels_in));
        let of_block = tiles.of_bands(self.bands.clone());
        patches_to_points(simd, tiles, of_block.clone(), count, images, channels_in, patches);
        for (index, tile) in of_block.enumerate() {
            for (start, width) in strips(channels_out) {
                let points = &mut points[POINTS * plane(count, STRIP) * (start / STRIP)..];
                let plane = plane(count, width);
                for lane in (0..width).step_by(S::F32_LANES) {
                    let channel = start + lane;
                    let square = outputs(simd, tiles, tile, gradient, channels_out, channel);
                    let at_points = both!(simd, square, output_transposed, 4 => 6);
                    for (p, &value) in at_points.as_flattened().iter().enumerate() {
                        let at = p * plane + index * width + lane;
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
