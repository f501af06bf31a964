//! The gradient of the weights.

use rayon::prelude::*;

use super::bands::{Band, Bands};
use super::weight_sums::{Block, Layer, Strip};
use crate::kernels::Geometry;
use crate::kernels::memory::{Lent, take};
use crate::kernels::product::{STRIP, strips};
use crate::kernels::scratch::with_scratch;
use crate::kernels::strip_copies::scatter;

/// Bytes of padded images and gradients that are held at the same time.
const CHUNK: usize = 12 << 20;
/// Bytes of sums that stay in the second-level cache.
const FEW_SUMS: usize = 1 << 20;
/// How many groups of pixels have sums of their own, if the sums are few.
const GROUPS: usize = 16;
/// Rows of a task, if the sums are many: a small kernel with many channels then still gives many tasks.
const ROWS: usize = 128;
/// Sums that are joined in a task.
const JOINED: usize = 4096;

/// The gradient `[channels_out, channels_in, kh, kw]`, from `input` `[n, h, w, channels_in]` and the gradient of the
/// output.
pub(crate) fn weight_gradient(geometry: &Geometry, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    let layer = Layer::new(geometry, input, gradient);
    let blocks = Bands::blocks(layer.geometry.images, layer.geometry.output());
    let few = layer.sums_len() * 4 <= FEW_SUMS;
    let groups = if few { GROUPS.min(blocks.len()) } else { 1 };
    let mut sums = Lent::new(groups * layer.sums_len());
    if few {
        by_groups(&layer, &blocks, groups, &mut sums);
    } else {
        by_parts(&layer, &blocks, &mut sums);
    }
    unpack(geometry, &sums[..layer.sums_len()])
}

/// The sums of all blocks in the first of `groups` parts of `sums`. Each group of pixels is summed up by itself, so that
/// everything is read once and the sums stay in cache.
fn by_groups(layer: &Layer<'_>, blocks: &[Vec<Band>], groups: usize, sums: &mut [f32]) {
    let len = layer.sums_len();
    sums.par_chunks_mut(len).enumerate().for_each(|(group, sums)| {
        let range = blocks.len() * group / groups..blocks.len() * (group + 1) / groups;
        for (index, bands) in blocks[range].iter().enumerate() {
            with_scratch(layer.block_len(bands), |memory| {
                let block = layer.block(bands, memory);
                add_block(layer, &block, sums, index > 0);
            });
        }
    });
    let (first, others) = sums.split_at_mut(len);
    first.par_chunks_mut(JOINED).enumerate().for_each(|(index, sums)| {
        for others in others.chunks_exact(len) {
            let others = &others[index * JOINED..];
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        }
    });
}

/// All products of a block in `sums`: added to it, or in its place.
fn add_block(layer: &Layer<'_>, block: &Block<'_>, sums: &mut [f32], add: bool) {
    let pieces = layer.pieces(usize::MAX);
    let mut rest = sums;
    for (start, width) in strips(layer.geometry.channels_out) {
        for &piece in &pieces {
            let (target, others) = std::mem::take(&mut rest).split_at_mut(piece.rows * width);
            rest = others;
            layer.multiply(block, piece, Strip { start, width }, target, add);
        }
    }
}

/// The sums of all blocks in `sums`, which are too many for a cache: each task has some rows of them, and goes over all
/// blocks.
fn by_parts(layer: &Layer<'_>, blocks: &[Vec<Band>], sums: &mut [f32]) {
    let of_block = blocks.iter().map(|bands| layer.block_len(bands)).max().unwrap_or(0);
    let at_once = (CHUNK / (of_block * 4)).max(1).next_multiple_of(4).min(blocks.len());
    let mut memory = Lent::new(at_once * of_block);
    let pieces = layer.pieces(ROWS);
    for (index, chunk) in blocks.chunks(at_once).enumerate() {
        let memory = chunk.par_iter().zip(memory.par_chunks_mut(of_block));
        let blocks: Vec<Block<'_>> =
            memory.map(|(bands, memory)| layer.block(bands, memory)).collect();
        // Each task has the same rows of all strips, whose part of the input then stays in cache.
        let mut tasks: Vec<Vec<_>> = pieces.iter().map(|_| Vec::new()).collect();
        let mut rest = &mut *sums;
        for (start, width) in strips(layer.geometry.channels_out) {
            for (task, piece) in tasks.iter_mut().zip(&pieces) {
                let (target, others) = std::mem::take(&mut rest).split_at_mut(piece.rows * width);
                rest = others;
                task.push((Strip { start, width }, target));
            }
        }
        tasks.into_par_iter().zip(&pieces).for_each(|(mut task, &piece)| {
            for (of_chunk, block) in blocks.iter().enumerate() {
                for (strip, target) in &mut task {
                    layer.multiply(block, piece, *strip, target, index > 0 || of_chunk > 0);
                }
            }
        });
    }
}

/// `[strip][position][channels_in][width]` as `[channels_out, channels_in, kh, kw]`.
fn unpack(geometry: &Geometry, sums: &[f32]) -> Vec<f32> {
    let (positions, channels_in) = (geometry.positions(), geometry.channels_in);
    let of_channel = positions * channels_in;
    let mut gradient = take(geometry.channels_out * of_channel);
    let of_strip = sums.par_chunks(of_channel * STRIP);
    gradient.par_chunks_mut(of_channel * STRIP).zip(of_strip).for_each(|(to, from)| {
        scatter(from, from.len() / of_channel, of_channel, to, |step| {
            step % positions * channels_in + step / positions
        });
    });
    gradient
}
