//! The gradient of the weights.

use pulp::Arch;
use rayon::prelude::*;

use super::bands::{Band, Bands};
use super::padded::Window;
use crate::kernels::Geometry;
use crate::kernels::lanes::scatter;
use crate::kernels::memory::{Lent, take};
use crate::kernels::product::{LeftOrder, Product, ROW_SLACK, STRIP, Tap, padded_columns, strips};
use crate::kernels::scratch::with_scratch;

/// Bytes of padded images and gradients that are held at the same time.
const CHUNK: usize = 12 << 20;
/// Bytes of sums that stay in the second-level cache.
const FEW_SUMS: usize = 1 << 20;
/// How many groups of pixels have sums of their own, if the sums are few.
const GROUPS: usize = 16;
/// Rows of a task, if the sums are many: a small kernel with many channels then still gives many tasks.
const ROWS: usize = 128;

/// The gradient `[channels_out, channels_in, kh, kw]`, from `input` `[n, h, w, channels_in]` and the gradient of the
/// output.
pub(crate) fn weight_gradient(geometry: &Geometry, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    let layer = Layer::new(geometry, input, gradient);
    if layer.sums_len() * 4 <= FEW_SUMS { layer.by_groups() } else { layer.by_parts() }
}

struct Layer<'a> {
    geometry: Geometry,
    input: &'a [f32],
    gradient: &'a [f32],
    /// Everything that the kernel reads from an image.
    window: Window,
    /// Whether the products can read the input itself: no padding, and whole register tiles.
    as_it_lies: bool,
}

/// Consecutive pixels of the output, and the pixels that they are computed from.
struct Block<'a> {
    /// Where the products read the input.
    left: &'a [f32],
    /// Where each row of outputs begins to read there.
    starts: &'a [usize],
    /// Numbers from one row there to the next.
    row: usize,
    /// The gradient, `[strip][pixel][width]`.
    packed: &'a [f32],
}

impl<'a> Layer<'a> {
    fn new(geometry: &Geometry, input: &'a [f32], gradient: &'a [f32]) -> Self {
        let mut geometry = *geometry;
        if geometry.is_pointwise() {
            // Pixels are as good as those of one large image, whose rows follow each other without a gap.
            let rows = geometry.images * geometry.input[0];
            (geometry.images, geometry.input[0]) = (1, rows);
        }
        let [rows, columns] = [0, 1].map(|axis| reads(&geometry, axis, geometry.output()[axis]));
        let window =
            Window { start: geometry.padding_before.map(|p| -(p as isize)), size: [rows, columns] };
        let padding = [geometry.padding_before, geometry.padding_after];
        let as_it_lies = padding == [[0; 2]; 2] && geometry.channels_in.is_multiple_of(ROW_SLACK);
        Self { geometry, input, gradient, window, as_it_lies }
    }

    /// The number of sums: `[strip][position][channels_in][width]`.
    fn sums_len(&self) -> usize {
        let Geometry { kernel, channels_in, channels_out, .. } = self.geometry;
        kernel[0] * kernel[1] * channels_in * padded_columns(channels_out)
    }

    /// Some groups of pixels, each of which is summed up by itself: everything is read once.
    fn by_groups(&self) -> Vec<f32> {
        let blocks = Bands::blocks(self.geometry.images, self.geometry.output());
        let (groups, len) = (GROUPS.min(blocks.len()), self.sums_len());
        let mut sums = Lent::new(groups * len);
        sums.par_chunks_mut(len).enumerate().for_each(|(group, sums)| {
            let range = blocks.len() * group / groups..blocks.len() * (group + 1) / groups;
            for (index, bands) in blocks[range].iter().enumerate() {
                self.add_block(bands, sums, index > 0);
            }
        });
        let (first, others) = sums.split_at_mut(len);
        first.par_chunks_mut(STRIP * STRIP).enumerate().for_each(|(index, sums)| {
            for others in others.chunks_exact(len) {
                let others = &others[index * STRIP * STRIP..];
                sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
            }
        });
        self.unpack(first)
    }

    /// The products of some bands in `sums`: added to it, or in its place.
    fn add_block(&self, bands: &[Band], sums: &mut [f32], add: bool) {
        let Geometry { channels_in, channels_out, .. } = self.geometry;
        let pixels = bands.iter().map(|band| band.rows).sum::<usize>() * self.geometry.output()[1];
        let of_windows = if self.as_it_lies { 0 } else { self.windows_len(bands) + ROW_SLACK };
        with_scratch(pixels * padded_columns(channels_out) + of_windows, |scratch| {
            let (packed, padded) = scratch.split_at_mut(pixels * padded_columns(channels_out));
            pack(
                &self.gradient[self.first_pixel(&bands[0]) * channels_out..]
                    [..pixels * channels_out],
                channels_out,
                packed,
            );
            let mut starts = Vec::new();
            let row = if self.as_it_lies {
                self.starts_in_input(bands, &mut starts);
                self.geometry.input[1] * channels_in
            } else {
                self.copy_windows(bands, padded, &mut starts);
                self.window.size[1] * channels_in
            };
            let left = if self.as_it_lies { self.input } else { &*padded };
            let block = Block { left, starts: &starts, row, packed };
            let mut rest = sums;
            for (start, width) in strips(channels_out) {
                for (offset, rows) in self.pieces(row, usize::MAX) {
                    let (target, others) = std::mem::take(&mut rest).split_at_mut(rows * width);
                    rest = others;
                    self.multiply(&block, (start, width), (offset, rows), target, add);
                }
            }
        });
    }

    /// Tasks with a part of the sums each, which go over all pixels.
    fn by_parts(&self) -> Vec<f32> {
        let Geometry { images, channels_in, channels_out, .. } = self.geometry;
        let size = self.geometry.output();
        let blocks = Bands::blocks(images, size);
        let most = |of: &dyn Fn(&[Band]) -> usize| blocks.iter().map(|b| of(b)).max().unwrap_or(0);
        let of_pixels = most(&|bands| bands.iter().map(|b| b.rows).sum::<usize>() * size[1])
            * padded_columns(channels_out);
        let of_windows =
            if self.as_it_lies { 0 } else { most(&|bands| self.windows_len(bands)) + ROW_SLACK };
        let of_block = of_pixels + of_windows;
        let at_once = (CHUNK / (of_block * 4)).max(1).next_multiple_of(4).min(blocks.len());
        let mut memory = Lent::new(at_once * of_block);
        let mut sums = Lent::new(self.sums_len());
        let row = channels_in
            * if self.as_it_lies { self.geometry.input[1] } else { self.window.size[1] };
        for (index, chunk) in blocks.chunks(at_once).enumerate() {
            let starts: Vec<Vec<usize>> = chunk
                .par_iter()
                .zip(memory.par_chunks_mut(of_block))
                .map(|(bands, to)| {
                    let (packed, padded) = to.split_at_mut(of_pixels);
                    let pixels = bands.iter().map(|b| b.rows).sum::<usize>() * size[1];
                    pack(
                        &self.gradient[self.first_pixel(&bands[0]) * channels_out..]
                            [..pixels * channels_out],
                        channels_out,
                        packed,
                    );
                    let mut starts = Vec::new();
                    if self.as_it_lies {
                        self.starts_in_input(bands, &mut starts)
                    } else {
                        self.copy_windows(bands, padded, &mut starts)
                    }
                    starts
                })
                .collect();
            let blocks: Vec<Block<'_>> = starts
                .iter()
                .zip(memory.chunks(of_block))
                .map(|(starts, memory)| {
                    let (packed, padded) = memory.split_at(of_pixels);
                    Block {
                        left: if self.as_it_lies { self.input } else { padded },
                        starts,
                        row,
                        packed,
                    }
                })
                .collect();
            let pieces = self.pieces(row, ROWS);
            let mut tasks: Vec<Vec<_>> = pieces.iter().map(|_| Vec::new()).collect();
            let mut rest = &mut sums[..];
            for strip in strips(channels_out) {
                for (task, piece) in tasks.iter_mut().zip(&pieces) {
                    let (target, others) =
                        std::mem::take(&mut rest).split_at_mut(piece.1 * strip.1);
                    rest = others;
                    task.push((strip, target));
                }
            }
            tasks.into_par_iter().zip(pieces).for_each(|(mut task, piece)| {
                for (block, of_block) in blocks.iter().enumerate() {
                    for (strip, target) in &mut task {
                        self.multiply(of_block, *strip, piece, target, index > 0 || block > 0);
                    }
                }
            });
        }
        self.unpack(&sums)
    }

    /// The parts of the kernel: where each begins in the input, for the first output, and how many numbers it has. At
    /// most `most` rows each.
    fn pieces(&self, row: usize, most: usize) -> Vec<(usize, usize)> {
        let Geometry { channels_in, kernel, dilation, .. } = self.geometry;
        let joined = if dilation[1] == 1 { kernel[1] } else { 1 };
        let mut pieces = Vec::new();
        for i in 0..kernel[0] {
            for j in (0..kernel[1]).step_by(joined) {
                let mut first = 0;
                while first < joined * channels_in {
                    let rows = most.min(joined * channels_in - first);
                    pieces.push((
                        i * dilation[0] * row + j * dilation[1] * channels_in + first,
                        rows,
                    ));
                    first += rows;
                }
            }
        }
        pieces
    }

    /// The product of one part of the kernel with one strip.
    fn multiply(
        &self,
        block: &Block<'_>,
        (start, width): (usize, usize),
        (offset, rows): (usize, usize),
        target: &mut [f32],
        add: bool,
    ) {
        let Geometry { channels_in, stride, .. } = self.geometry;
        let across = self.geometry.output()[1];
        let pixels = block.starts.len() * across;
        // Rows that follow each other without a gap are one run.
        let joined = if across * stride[1] * channels_in == block.row * stride[0] {
            block.starts.len()
        } else {
            1
        };
        let taps = block
            .starts
            .iter()
            .enumerate()
            .step_by(joined)
            .map(|(y, &left)| Tap { left, right: y * across * width });
        let taps: Vec<Tap> = taps.collect();
        Arch::new().dispatch(Product {
            left: block.left,
            order: LeftOrder::Steps(stride[1] * channels_in),
            right: &block.packed[start * pixels..],
            right_stride: width,
            taps: &taps,
            run: joined * across,
            rows,
            place: |row: usize| (offset + row, row * width),
            width,
            columns: width,
            target,
            add,
        });
    }

    /// The output pixels before a band.
    fn first_pixel(&self, band: &Band) -> usize {
        let [height, width] = self.geometry.output();
        (band.image * height + band.start) * width
    }

    fn starts_in_input(&self, bands: &[Band], starts: &mut Vec<usize>) {
        let Geometry { input: [height, width], stride, channels_in, .. } = self.geometry;
        for band in bands {
            let rows = (band.start..band.start + band.rows)
                .map(|row| (band.image * height + row * stride[0]) * width * channels_in);
            starts.extend(rows);
        }
    }

    /// What a band reads.
    fn window(&self, band: &Band) -> Window {
        let start = self.window.start[0] + (band.start * self.geometry.stride[0]) as isize;
        Window {
            start: [start, self.window.start[1]],
            size: [reads(&self.geometry, 0, band.rows), self.window.size[1]],
        }
    }

    fn windows_len(&self, bands: &[Band]) -> usize {
        bands.iter().map(|band| self.window(band).len(self.geometry.channels_in)).sum()
    }

    fn copy_windows(&self, bands: &[Band], padded: &mut [f32], starts: &mut Vec<usize>) {
        let Geometry { input, stride, channels_in, .. } = self.geometry;
        let image = input[0] * input[1] * channels_in;
        let mut at = 0;
        for band in bands {
            let window = self.window(band);
            let to = &mut padded[at..][..window.len(channels_in)];
            window.copy(&self.input[band.image * image..][..image], input, channels_in, to);
            let row = stride[0] * window.size[1] * channels_in;
            starts.extend((0..band.rows).map(|y| at + y * row));
            at += to.len();
        }
    }

    /// `[strip][position][channels_in][width]` as `[channels_out, channels_in, kh, kw]`.
    fn unpack(&self, sums: &[f32]) -> Vec<f32> {
        let Geometry { channels_in, channels_out, kernel, .. } = self.geometry;
        let positions = kernel[0] * kernel[1];
        let of_channel = positions * channels_in;
        let mut gradient = take(channels_out * of_channel);
        let of_strip = sums.par_chunks(of_channel * STRIP);
        gradient.par_chunks_mut(of_channel * STRIP).zip(of_strip).for_each(|(to, from)| {
            scatter(from, from.len() / of_channel, of_channel, to, |step| {
                step % positions * channels_in + step / positions
            });
        });
        gradient
    }
}

/// How many rows, or columns, of the input so many outputs read.
fn reads(geometry: &Geometry, axis: usize, outputs: usize) -> usize {
    (outputs - 1) * geometry.stride[axis]
        + (geometry.kernel[axis] - 1) * geometry.dilation[axis]
        + 1
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
