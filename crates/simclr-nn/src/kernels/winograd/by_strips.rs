//! A convolution with many channels and few tiles.
//!
//! The weights at the points are four times the weights, and then fit no cache. So each task here takes one strip of
//! them to the points, uses it for all tiles of a chunk, and forgets it.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::convolution::{Convolution, multiply};
use super::outputs::{Target, points_to_outputs};
use super::patches::patches_to_points;
use super::points::plane;
use super::tiles::Tiles;
use super::transforms::POINTS;
use super::weights::{ToPoints, strip_len};
use crate::kernels::PackedWeights;
use crate::kernels::memory::Lent;
use crate::kernels::product::{STRIP, strips};
use crate::kernels::scratch::with_scratch;

/// Tiles in a block.
const BLOCK: usize = 64;
/// Bytes of patches at the points that are held at the same time: they stay in the last-level cache.
const CHUNK: usize = 12 << 20;
/// Above so many bytes of weights at the points, this way is the faster one.
const LARGE: usize = 4 << 20;

/// Whether the weights are too many to be held at the points.
pub(super) fn applies(weights: &PackedWeights) -> bool {
    is_large(weights.len())
}

/// Whether so many weights are too many to be held at the points.
pub(super) fn is_large(weights: usize) -> bool {
    weights * 4 * 4 > LARGE
}

/// Writes the output `[n, h', w', weights.columns]`, and returns whether all of it is finite.
pub(super) fn convolve(convolution: Convolution<'_>, result: &mut [f32]) -> bool {
    let Convolution { tiles, weights, .. } = convolution;
    let blocks = tiles.tasks(BLOCK);
    let of_block = POINTS * plane(tiles.most(&blocks), weights.inner);
    let at_once = (CHUNK / (of_block * 4)).max(4).min(blocks.len().max(1));
    let mut patches = Lent::new(at_once * of_block);
    let row = tiles.output[1] * weights.columns;
    let mut finite = true;
    let mut rest = result;
    for bands in blocks.chunks(at_once) {
        bands.par_iter().zip(patches.par_chunks_mut(of_block)).for_each(|(bands, points)| {
            Arch::new().dispatch(Patches { convolution, bands: bands.clone(), points });
        });
        let rows = tiles.rows(&(bands[0].start..bands[bands.len() - 1].end));
        let (result, others) = std::mem::take(&mut rest).split_at_mut(rows * row);
        rest = others;
        finite &= Chunk { bands, patches: &patches, of_block }.outputs(convolution, result);
    }
    finite
}

struct Patches<'a> {
    convolution: Convolution<'a>,
    bands: Range<usize>,
    points: &'a mut [f32],
}

impl WithSimd for Patches<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { convolution: Convolution { tiles, images, weights, .. }, bands, points } = self;
        let count = tiles.count(&bands);
        let of_block = tiles.of_bands(bands);
        patches_to_points(simd, tiles, of_block, count, images, weights.inner, points);
    }
}

/// Some blocks.
struct Chunk<'a> {
    /// The bands of each block.
    bands: &'a [Range<usize>],
    /// The patches of the blocks at the points, `of_block` numbers each.
    patches: &'a [f32],
    of_block: usize,
}

impl Chunk<'_> {
    /// Writes the chunk's pixels, and returns whether all of them are finite.
    fn outputs(&self, convolution: Convolution<'_>, result: &mut [f32]) -> bool {
        let Convolution { tiles, weights, .. } = convolution;
        let columns = weights.columns;
        let before = tiles.rows_before(self.bands[0].start) * tiles.output[1] * columns;
        let strips: Vec<_> = strips(columns).collect();
        // Strip by strip, because a task can own only what is in one piece.
        let of_strip = result.len() / columns * STRIP;
        let mut by_strips = Lent::new(of_strip * strips.len());
        let tasks = by_strips.par_chunks_mut(of_strip).zip(&strips);
        let finite = tasks
            .map(|(result, &strip)| self.strip_outputs(convolution, strip, result))
            .reduce(|| true, |a, b| a && b);
        let pixels = result.par_chunks_mut(columns * 64).enumerate();
        pixels.for_each(|(index, pixels)| {
            for (pixel, values) in pixels.chunks_exact_mut(columns).enumerate() {
                for (of_strip, &(start, width)) in by_strips.chunks(of_strip).zip(&strips) {
                    let from = &of_strip[(index * 64 + pixel) * width..][..width];
                    values[start..start + width].copy_from_slice(from);
                }
            }
            convolution.finish.apply(pixels, columns, before + index * 64 * columns);
        });
        finite
    }

    /// Writes one strip's channels of the chunk's pixels, and returns whether all of them are finite.
    fn strip_outputs(
        &self,
        convolution: Convolution<'_>,
        (start, width): (usize, usize),
        result: &mut [f32],
    ) -> bool {
        let Convolution { tiles, weights, .. } = convolution;
        let of_weights = strip_len(weights, width);
        let of_products = POINTS * plane(tiles.most(self.bands), width);
        with_scratch(of_weights + of_products, |scratch| {
            let (points, products) = scratch.split_at_mut(of_weights);
            let to_points = ToPoints { weights, start, width, points };
            let blocks = self.bands.iter().cloned().zip(self.patches.chunks(self.of_block));
            Arch::new().dispatch(OfStrip { tiles, blocks, to_points, products, result })
        })
    }
}

struct OfStrip<'a, I> {
    tiles: &'a Tiles,
    /// The bands of each block with their patches at the points.
    blocks: I,
    to_points: ToPoints<'a>,
    products: &'a mut [f32],
    /// The strip's channels of all pixels.
    result: &'a mut [f32],
}

impl<'a, I: Iterator<Item = (Range<usize>, &'a [f32])>> WithSimd for OfStrip<'_, I> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let Self { tiles, blocks, to_points, products, result } = self;
        let ToPoints { weights, start, width, points } = to_points;
        ToPoints { weights, start, width, points: &mut *points }.with_simd(simd);
        let mut finite = true;
        let mut pixels = 0;
        for (bands, patches) in blocks {
            let count = tiles.count(&bands);
            multiply(simd, patches, points, [count, weights.inner, width], products);
            let rows = tiles.rows(&bands);
            let values = &mut result[pixels * width..];
            let mut target = Target { values, stride: width, start: 0 };
            finite &= points_to_outputs(simd, tiles, bands, products, width, &mut target);
            pixels += rows * tiles.output[1];
        }
        finite
    }
}
