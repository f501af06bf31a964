//! The sums that make the gradient of the weights: products of pixels of the input with gradients of outputs.

use pulp::Arch;

use super::bands::Band;
use crate::kernels::Geometry;
use crate::kernels::padded::Window;
use crate::kernels::product::{LeftOrder, Product, ROW_SLACK, Tap, padded_columns, strips};

/// A convolution whose weights' gradient is wanted.
pub(super) struct Layer<'a> {
    pub(super) geometry: Geometry,
    /// `[n, h, w, channels_in]`.
    input: &'a [f32],
    /// `[n, h', w', channels_out]`.
    gradient: &'a [f32],
    /// Whether the products can read the input itself: there is no padding, and register tiles are whole.
    as_it_lies: bool,
    /// Columns that the products read, from the first one on.
    columns: usize,
}

/// Some pixels of the output, and the pixels that they were computed from.
pub(super) struct Block<'a> {
    /// What the products read the input from.
    left: &'a [f32],
    /// Where each row of outputs begins to read there.
    starts: Vec<usize>,
    /// The gradient, `[strip][pixel][width]`.
    packed: &'a [f32],
}

/// A part of the kernel: consecutive numbers of a pixel, or of neighbouring pixels of a row.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    /// Where it begins in the input, from where an output begins to read.
    offset: usize,
    /// How many numbers there are.
    pub(super) rows: usize,
}

/// Some output channels.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    pub(super) start: usize,
    pub(super) width: usize,
}

impl<'a> Layer<'a> {
    pub(super) fn new(geometry: &Geometry, input: &'a [f32], gradient: &'a [f32]) -> Self {
        let mut geometry = *geometry;
        if geometry.is_pointwise() {
            // Pixels are as good as those of one large image, whose rows follow each other without a gap.
            let rows = geometry.images * geometry.input[0];
            (geometry.images, geometry.input[0]) = (1, rows);
        }
        let is_padded = [geometry.padding_before, geometry.padding_after] != [[0; 2]; 2];
        let as_it_lies = !is_padded && geometry.channels_in.is_multiple_of(ROW_SLACK);
        let columns =
            if as_it_lies { geometry.input[1] } else { reads(&geometry, 1, geometry.output()[1]) };
        Self { geometry, input, gradient, as_it_lies, columns }
    }

    /// The number of sums: `[strip][position][channels_in][width]`.
    pub(super) fn sums_len(&self) -> usize {
        let Geometry { channels_in, channels_out, .. } = self.geometry;
        self.geometry.positions() * channels_in * padded_columns(channels_out)
    }

    /// Numbers from one row of the products' input to the next.
    fn row(&self) -> usize {
        self.columns * self.geometry.channels_in
    }

    /// How much memory a block takes.
    pub(super) fn block_len(&self, bands: &[Band]) -> usize {
        let windows: usize =
            bands.iter().map(|band| self.window(band).len(self.geometry.channels_in)).sum();
        let windows = if self.as_it_lies { 0 } else { windows + ROW_SLACK };
        self.pixels(bands) * padded_columns(self.geometry.channels_out) + windows
    }

    /// Output pixels of some bands.
    fn pixels(&self, bands: &[Band]) -> usize {
        bands.iter().map(|band| band.rows).sum::<usize>() * self.geometry.output()[1]
    }

    /// Prepares a block in `memory`, which is at least [`block_len`](Self::block_len) long.
    pub(super) fn block<'b>(&'b self, bands: &[Band], memory: &'b mut [f32]) -> Block<'b> {
        let channels = self.geometry.channels_out;
        let [height, width] = self.geometry.output();
        let pixels = self.pixels(bands);
        let (packed, padded) = memory.split_at_mut(pixels * padded_columns(channels));
        let first = (bands[0].image * height + bands[0].start) * width;
        pack(&self.gradient[first * channels..][..pixels * channels], channels, packed);
        if self.as_it_lies {
            return Block { left: self.input, starts: self.starts_in_input(bands), packed };
        }
        let starts = self.copy_windows(bands, padded);
        Block { left: padded, starts, packed }
    }

    fn starts_in_input(&self, bands: &[Band]) -> Vec<usize> {
        let Geometry { input: [height, _], stride, .. } = self.geometry;
        let rows = bands.iter().flat_map(|band| {
            let rows = band.start..band.start + band.rows;
            rows.map(|row| band.image * height + row * stride[0])
        });
        rows.map(|row| row * self.row()).collect()
    }

    fn copy_windows(&self, bands: &[Band], padded: &mut [f32]) -> Vec<usize> {
        let Geometry { input, stride, channels_in, .. } = self.geometry;
        let image = input[0] * input[1] * channels_in;
        let mut starts = Vec::new();
        let mut at = 0;
        for band in bands {
            let window = self.window(band);
            let to = &mut padded[at..][..window.len(channels_in)];
            window.copy(&self.input[band.image * image..][..image], input, channels_in, to);
            starts.extend((0..band.rows).map(|row| at + row * stride[0] * self.row()));
            at += to.len();
        }
        starts
    }

    /// What a band reads.
    fn window(&self, band: &Band) -> Window {
        let Geometry { stride, padding_before: [above, before], .. } = self.geometry;
        Window {
            start: [(band.start * stride[0]) as isize - above as isize, -(before as isize)],
            size: [reads(&self.geometry, 0, band.rows), self.columns],
        }
    }

    /// The parts of the kernel in the order of the sums, each with `most` numbers at most.
    pub(super) fn pieces(&self, most: usize) -> Vec<Piece> {
        let Geometry { channels_in, kernel, dilation, .. } = self.geometry;
        // Neighbouring positions of a row are one piece, if no other pixels lie between them.
        let joined = if dilation[1] == 1 { kernel[1] } else { 1 };
        let mut pieces = Vec::new();
        for i in 0..kernel[0] {
            for j in (0..kernel[1]).step_by(joined) {
                let mut first = 0;
                while first < joined * channels_in {
                    let rows = most.min(joined * channels_in - first);
                    let offset = i * dilation[0] * self.row() + j * dilation[1] * channels_in;
                    pieces.push(Piece { offset: offset + first, rows });
                    first += rows;
                }
            }
        }
        pieces
    }

    /// The products of a block, for a part of the kernel and some output channels, in `target` `[rows, width]`: added to
    /// it, or in its place.
    pub(super) fn multiply(
        &self,
        block: &Block<'_>,
        Piece { offset, rows }: Piece,
        Strip { start, width }: Strip,
        target: &mut [f32],
        add: bool,
    ) {
        let Geometry { channels_in, stride, .. } = self.geometry;
        let Block { left, starts, packed } = block;
        let across = self.geometry.output()[1];
        let step = stride[1] * channels_in;
        // Rows of outputs that read on where the last one ended are one run.
        let is_one_run = starts.windows(2).all(|pair| pair[1] - pair[0] == across * step);
        let joined = if is_one_run { starts.len() } else { 1 };
        let rows_of_taps = starts.iter().enumerate().step_by(joined);
        let taps: Vec<Tap> =
            rows_of_taps.map(|(y, &left)| Tap { left, right: y * across * width }).collect();
        Arch::new().dispatch(Product {
            left,
            order: LeftOrder::Steps(step),
            right: &packed[start * starts.len() * across..],
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
}

/// How many rows, or columns, of the input so many outputs read.
fn reads(geometry: &Geometry, axis: usize, outputs: usize) -> usize {
    let Geometry { stride, kernel, dilation, .. } = *geometry;
    (outputs - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1
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
