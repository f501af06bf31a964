//! [`convolve`](super::forward::convolve) for many channels and few tiles.
//!
//! Weights at the points are four times the weights, and too many for any cache. So each task here makes
//! those of one strip, uses them for all tiles, and forgets them.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::forward::multiply;
use super::outputs::{Target, points_to_outputs};
use super::patches::{patches_to_points, plane};
use super::tiles::Tiles;
use super::transforms::POINTS;
use super::weights::{ToPoints, Weights};
use crate::kernels::product::{STRIP, strips};
use crate::kernels::scratch::{Shared, with_scratch};

/// Tiles of a block.
const BLOCK: usize = 64;
/// Bytes of patches at the points that are held at once: they stay in the last-level cache.
const CHUNK: usize = 12 << 20;
/// Bytes of weights at the points from which on this is the faster way.
const LARGE: usize = 4 << 20;

/// Whether the weights are too many to be held at the points.
pub(super) fn applies(weights: &Weights<'_>) -> bool {
    weights.values.len() * 4 * 4 > LARGE
}

/// As [`convolve`](super::forward::convolve).
pub(super) fn convolve(
    tiles: &Tiles,
    images: &[f32],
    weights: Weights<'_>,
    bias: Option<&[f32]>,
    result: &mut [f32],
) -> bool {
    let blocks = tiles.tasks(BLOCK);
    let count = |bands: &Range<usize>| bands.len() * tiles.across();
    let of_block = POINTS * plane(blocks.iter().map(count).max().unwrap_or(0), weights.inner);
    let at_once = (CHUNK / (of_block * 4)).max(4).min(blocks.len().max(1));
    let mut patches = Shared::new(at_once * of_block);
    let row = tiles.output[1] * weights.columns;
    let mut finite = true;
    let mut rest = result;
    for chunk in blocks.chunks(at_once) {
        chunk.par_iter().zip(patches.par_chunks_mut(of_block)).for_each(|(bands, points)| {
            Arch::new().dispatch(Patches { tiles, bands: bands.clone(), images, weights, points });
        });
        let rows =
            |bands: Range<usize>| tiles.rows_before(bands.end) - tiles.rows_before(bands.start);
        let rows = rows(chunk[0].start..chunk[chunk.len() - 1].end);
        let (result, others) = std::mem::take(&mut rest).split_at_mut(rows * row);
        rest = others;
        // Strip by strip, because a task can own only what is in one piece.
        let of_strip = rows * tiles.output[1] * STRIP;
        let strips: Vec<_> = strips(weights.columns).collect();
        let mut by_strips = Shared::new(of_strip * strips.len());
        let tasks = by_strips.par_chunks_mut(of_strip).zip(&strips);
        finite &= tasks
            .map(|(result, &(start, width))| {
                let bias = bias.map(|bias| &bias[start..start + width]);
                let largest = plane(chunk.iter().map(count).max().unwrap_or(0), width);
                let of_weights = weights.strip_len(width);
                with_scratch(of_weights + POINTS * largest, |scratch| {
                    let (points, products) = scratch.split_at_mut(of_weights);
                    let to_points = ToPoints { weights, start, width, points };
                    let blocks = chunk.iter().cloned().zip(patches.chunks(of_block));
                    Arch::new().dispatch(OfStrip {
                        tiles,
                        blocks,
                        to_points,
                        products,
                        bias,
                        result,
                    })
                })
            })
            .reduce(|| true, |a, b| a && b);
        let pixels = result.par_chunks_mut(weights.columns * 64).enumerate();
        pixels.for_each(|(index, pixels)| {
            for (pixel, values) in pixels.chunks_exact_mut(weights.columns).enumerate() {
                for (of_strip, &(start, width)) in by_strips.chunks(of_strip).zip(&strips) {
                    let from = &of_strip[(index * 64 + pixel) * width..][..width];
                    values[start..start + width].copy_from_slice(from);
                }
            }
        });
    }
    finite
}

struct Patches<'a> {
    tiles: &'a Tiles,
    bands: Range<usize>,
    images: &'a [f32],
    weights: Weights<'a>,
    points: &'a mut [f32],
}

impl WithSimd for Patches<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tiles, bands, images, weights, points } = self;
        let count = bands.len() * tiles.across();
        let of_block = tiles.of_bands(bands);
        patches_to_points(simd, tiles, of_block, count, images, weights.inner, points);
    }
}

struct OfStrip<'a, I> {
    tiles: &'a Tiles,
    /// The bands of each block with their patches at the points.
    blocks: I,
    to_points: ToPoints<'a>,
    products: &'a mut [f32],
    bias: Option<&'a [f32]>,
    /// The pixels of all blocks, a strip's channels of each.
    result: &'a mut [f32],
}

impl<'a, I: Iterator<Item = (Range<usize>, &'a [f32])>> WithSimd for OfStrip<'_, I> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let Self { tiles, blocks, to_points, products, bias, result } = self;
        let ToPoints { weights, start, width, points } = to_points;
        ToPoints { weights, start, width, points: &mut *points }.with_simd(simd);
        let mut finite = true;
        let mut pixels = 0;
        for (bands, patches) in blocks {
            let count = bands.len() * tiles.across();
            multiply(simd, patches, points, [count, weights.inner, width], products);
            let rows = tiles.rows_before(bands.end) - tiles.rows_before(bands.start);
            let values = &mut result[pixels * width..];
            let mut target = Target { values, stride: width, start: 0 };
            finite &= points_to_outputs(simd, tiles, bands, products, width, bias, &mut target);
            pixels += rows * tiles.output[1];
        }
        finite
    }
}
