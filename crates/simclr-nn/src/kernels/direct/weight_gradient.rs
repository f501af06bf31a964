//! The gradient of the weights.

use pulp::Arch;
use rayon::prelude::*;

use crate::kernels::Geometry;
use crate::kernels::padded::Window;
use crate::kernels::product::{LeftOrder, Product, ROW_SLACK, STRIP, Tap, padded_columns, strips};
use crate::kernels::scratch::Shared;

/// Bytes of padded images and gradients that are held at the same time.
const CHUNK: usize = 12 << 20;
/// Pixels in a block: with fewer, reading and writing the sums would cost more than the products.
const BLOCK_PIXELS: usize = 256;

/// The gradient `[channels_out, channels_in, kh, kw]`, from `input` `[n, h, w, channels_in]` and the gradient of the
/// output.
pub(crate) fn weight_gradient(geometry: &Geometry, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    let Geometry { images, channels_in, channels_out, kernel, .. } = *geometry;
    let size = geometry.output();
    let window = window(geometry);
    let pixels = size[0] * size[1];
    let of_image = [window.len(channels_in), pixels * padded_columns(channels_out)];
    let per_block = BLOCK_PIXELS.div_ceil(pixels).min(images.max(1));
    let of_block = per_block * (of_image[0] + of_image[1]) + ROW_SLACK;
    let blocks: Vec<(usize, usize)> = (0..images)
        .step_by(per_block)
        .map(|image| (image, per_block.min(images - image)))
        .collect();
    let at_once = (CHUNK / (of_block * 4)).max(1).next_multiple_of(4).min(blocks.len().max(1));
    let mut memory = Shared::new(at_once * of_block);
    let positions = kernel[0] * kernel[1];
    let mut sums = Shared::new(positions * channels_in * padded_columns(channels_out));
    for (index, chunk) in blocks.chunks(at_once).enumerate() {
        chunk.par_iter().zip(memory.par_chunks_mut(of_block)).for_each(|(&(first, count), to)| {
            let (padded, packed) = to.split_at_mut(count * of_image[0] + ROW_SLACK);
            let image = geometry.input[0] * geometry.input[1] * channels_in;
            for (i, to) in padded.chunks_exact_mut(of_image[0].max(1)).enumerate().take(count) {
                let from = &input[(first + i) * image..][..image];
                window.copy(from, geometry.input, channels_in, to);
            }
            let pixels = first * pixels..(first + count) * pixels;
            let from = &gradient[pixels.start * channels_out..pixels.end * channels_out];
            pack(from, channels_out, packed);
        });
        let blocks: Vec<_> =
            chunk.iter().zip(memory.chunks(of_block)).map(|(&(_, count), m)| (count, m)).collect();
        multiply(geometry, &blocks, window, &mut sums, index > 0);
    }
    unpack(geometry, &sums)
}

/// Everything that the kernel reads from an image.
fn window(geometry: &Geometry) -> Window {
    let size = geometry.output();
    Window {
        start: geometry.padding_before.map(|p| -(p as isize)),
        size: [0, 1].map(|axis| {
            (size[axis] - 1) * geometry.stride[axis]
                + (geometry.kernel[axis] - 1) * geometry.dilation[axis]
                + 1
        }),
    }
}

/// `[pixels, channels]` as `[strip][pixel][width]`, zero beyond the last channel.
fn pack(gradient: &[f32], channels: usize, packed: &mut [f32]) {
    let pixels = gradient.len() / channels;
    for (start, width) in strips(channels) {
        let columns = width.min(channels - start);
        let strip = &mut packed[start * pixels..][..pixels * width];
        for (to, from) in strip.chunks_exact_mut(width).zip(gradient.chunks_exact(channels)) {
            to[..columns].copy_from_slice(&from[start..start + columns]);
            to[columns..].fill(0.0);
        }
    }
}

/// The products of all blocks in `sums`, `[strip][position][channels_in][width]`: added to it, or in its place.
fn multiply(
    geometry: &Geometry,
    blocks: &[(usize, &[f32])],
    window: Window,
    sums: &mut [f32],
    add: bool,
) {
    let Geometry { channels_in, channels_out, kernel, stride, dilation, .. } = *geometry;
    let [height, width_out] = geometry.output();
    let row = window.size[1] * channels_in;
    let joined = if dilation[1] == 1 { kernel[1] } else { 1 };
    let mut tasks = Vec::new();
    let mut rest = sums;
    for (start, width) in strips(channels_out) {
        for i in 0..kernel[0] {
            for j in (0..kernel[1]).step_by(joined) {
                // In parts of 128 rows, so that a small kernel with many channels gives many tasks.
                for first in (0..joined * channels_in).step_by(128) {
                    let rows = 128.min(joined * channels_in - first);
                    let (target, others) = std::mem::take(&mut rest).split_at_mut(rows * width);
                    rest = others;
                    let offset = i * dilation[0] * row + j * dilation[1] * channels_in + first;
                    tasks.push((start, width, offset, rows, target));
                }
            }
        }
    }
    tasks.into_par_iter().for_each(|(start, width, offset, rows, target)| {
        for (index, &(count, memory)) in blocks.iter().enumerate() {
            let of_image = window.len(channels_in);
            let (padded, packed) = memory.split_at(count * of_image + ROW_SLACK);
            let taps: Vec<Tap> = (0..count * height)
                .map(|y| Tap {
                    left: y / height * of_image + y % height * stride[0] * row + offset,
                    right: y * width_out * width,
                })
                .collect();
            Arch::new().dispatch(Product {
                left: padded,
                order: LeftOrder::Steps(stride[1] * channels_in),
                right: &packed[start * count * height * width_out..],
                right_stride: width,
                taps: &taps,
                run: width_out,
                rows,
                place: |row: usize| (row, row * width),
                width,
                columns: width,
                target: &mut *target,
                add: add || index > 0,
            });
        }
    });
}

/// `[strip][position][channels_in][width]` as `[channels_out, channels_in, kh, kw]`.
fn unpack(geometry: &Geometry, sums: &[f32]) -> Vec<f32> {
    let Geometry { channels_in, channels_out, kernel, .. } = *geometry;
    let positions = kernel[0] * kernel[1];
    let of_channel = positions * channels_in;
    let mut gradient = vec![0.0; channels_out * of_channel];
    let of_strip = sums.par_chunks((of_channel * STRIP).max(1));
    gradient.par_chunks_mut((of_channel * STRIP).max(1)).zip(of_strip).for_each(|(to, from)| {
        let width = from.len() / of_channel;
        for (lane, to) in to.chunks_exact_mut(of_channel).enumerate() {
            for (k, to) in to.chunks_exact_mut(positions).enumerate() {
                for (position, to) in to.iter_mut().enumerate() {
                    *to = from[(position * channels_in + k) * width + lane];
                }
            }
        }
    });
    gradient
}
