//! The gradient of a 3x3 kernel: at each of the 36 points, one product over all tiles.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::patches::patches_to_points;
use super::points::{plane, store_points, vector};
use super::tiles::{Tile, Tiles};
use super::transforms::{POINTS, TILE, both, output_transposed};
use super::weights::FromPoints;
use crate::kernels::memory::{Lent, take};
use crate::kernels::product::{LeftOrder, Product, STRIP, Tap, strips};
use crate::kernels::scratch::with_scratch;

/// Bytes of values at the points that are held at the same time: they stay in the last-level cache.
const CHUNK: usize = 12 << 20;
/// Tiles in a block: the length of an inner run.
const BLOCK: usize = 64;

/// One block's number of tiles and its values at the points: patches `[point][tile][channels_in]`, and behind them
/// gradients `[strip][point][tile][width]`, both in [planes](plane).
type Block<'a> = (usize, &'a [f32]);

/// The gradient `[channels_out, channels_in, 3, 3]`, from `images` `[n, h, w, channels_in]` and the gradient of the
/// output `[n, h', w', channels_out]`; `None` if not all of it is finite.
pub(super) fn weight_gradient(
    tiles: &Tiles,
    channels: [usize; 2],
    images: &[f32],
    gradient: &[f32],
) -> Option<Vec<f32>> {
    let [channels_out, channels_in] = channels;
    let layer = Layer { tiles, channels, images, gradient };
    let mut result = take(channels_out * channels_in * 9);
    let finite = if layer.sums_len() * 4 > CHUNK / 2 {
        layer.by_strips(&mut result)
    } else {
        layer.by_chunks(&mut result)
    };
    finite.then_some(result)
}

#[derive(Clone, Copy)]
struct Layer<'a> {
    tiles: &'a Tiles,
    /// Out and in.
    channels: [usize; 2],
    images: &'a [f32],
    gradient: &'a [f32],
}

impl Layer<'_> {
    /// How many sums at the points a full strip has.
    fn strip_len(&self) -> usize {
        POINTS * plane(self.channels[1], STRIP)
    }

    /// How many sums at the points there are.
    fn sums_len(&self) -> usize {
        self.strip_len() * self.channels[0].div_ceil(STRIP)
    }

    /// How many values at the points the largest of some blocks has.
    fn block_len(&self, blocks: &[Range<usize>]) -> usize {
        let [channels_out, channels_in] = self.channels;
        let largest = self.tiles.most(blocks);
        POINTS
            * (plane(largest, channels_in) + channels_out.div_ceil(STRIP) * plane(largest, STRIP))
    }

    /// Takes blocks to the points, `of_block` numbers of `memory` each.
    fn at_points<'m>(
        &self,
        blocks: &[Range<usize>],
        of_block: usize,
        memory: &'m mut [f32],
    ) -> Vec<Block<'m>> {
        blocks.par_iter().zip(memory.par_chunks_mut(of_block)).for_each(|(bands, points)| {
            Arch::new().dispatch(ToPoints { layer: *self, bands: bands.clone(), points });
        });
        let points = blocks.iter().zip(memory.chunks(of_block));
        points.map(|(bands, points)| (self.tiles.count(bands), points)).collect()
    }

    /// Holds the sums at the points, and some blocks at a time.
    fn by_chunks(&self, result: &mut [f32]) -> bool {
        let blocks = self.tiles.tasks(BLOCK);
        let of_block = self.block_len(&blocks);
        let at_once = (CHUNK / (of_block * 4)).max(1).next_multiple_of(4).min(blocks.len().max(1));
        let mut memory = Lent::new(at_once * of_block);
        let mut sums = Lent::new(self.sums_len());
        for (index, chunk) in blocks.chunks(at_once).enumerate() {
            let blocks = self.at_points(chunk, of_block, &mut memory);
            add_products(&blocks, self.channels, &mut sums, index > 0);
        }
        let channels_in = self.channels[1];
        let tasks = result.par_chunks_mut(STRIP * channels_in * 9);
        let all = tasks.zip(sums.par_chunks(self.strip_len())).map(|(gradient, points)| {
            let width = gradient.len() / (channels_in * 9);
            Arch::new().dispatch(FromPoints { points, gradient, width, channels_in })
        });
        all.reduce(|| true, |a, b| a && b)
    }

    /// Holds all blocks, and the sums of one strip a task: for so many channels that the sums would fill the cache.
    fn by_strips(&self, result: &mut [f32]) -> bool {
        let [channels_out, channels_in] = self.channels;
        let blocks = self.tiles.tasks(BLOCK);
        let of_block = self.block_len(&blocks);
        let mut memory = Lent::new(blocks.len() * of_block);
        let blocks = self.at_points(&blocks, of_block, &mut memory);
        let strips: Vec<_> = strips(channels_out).collect();
        let tasks = result.par_chunks_mut(STRIP * channels_in * 9).zip(strips);
        let all = tasks.map(|(gradient, (start, width))| {
            with_scratch(self.strip_len(), |sums| {
                for point in 0..POINTS {
                    let target = &mut sums[point * plane(channels_in, width)..];
                    product_at_point(&blocks, channels_in, (start, width), point, target, false);
                }
                Arch::new().dispatch(FromPoints { points: sums, gradient, width, channels_in })
            })
        });
        all.reduce(|| true, |a, b| a && b)
    }
}

/// The products of all blocks in `sums`, `[strip][point][channels_in][width]` in [planes](plane): added to it, or in
/// its place.
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

/// The products of all blocks at one point in `target`, `[channels_in, width]`: added to it, or in its place.
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
            order: LeftOrder::Steps(channels_in),
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
    layer: Layer<'a>,
    bands: Range<usize>,
    points: &'a mut [f32],
}

impl WithSimd for ToPoints<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Layer { tiles, channels: [channels_out, channels_in], images, gradient } = self.layer;
        let count = tiles.count(&self.bands);
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
                    store_points::<S>(&at_points, points, plane, index * width + lane);
                }
            }
        }
    }
}

/// The 4x4 gradients of a tile, zero outside the image, for one vector of channels.
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
            square[i][j] = vector::<S>(gradient, pixel * channels + channel);
        }
    }
    square
}
