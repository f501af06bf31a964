//! What one head of one image reads.

use pulp::Arch;

use super::sizes::AttentionSizes;
use crate::kernels::packing::{Matrix, pack_columns, packed_len, packed_strips};
use crate::kernels::product::{LeftOrder, Product, STRIP, Tap, strips};

/// One head of one image.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) sizes: AttentionSizes,
    pub(super) image: usize,
    pub(super) number: usize,
}

/// Queries, keys and values lie side by side, in this order.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Queries,
    Keys,
    Values,
}

impl Head {
    /// The head with this number, counted over all images.
    pub(super) fn new(sizes: AttentionSizes, index: usize) -> Self {
        Self { sizes, image: index / sizes.heads, number: index % sizes.heads }
    }

    /// This head's queries, keys or values in the attention's input, a row for each token.
    pub(super) fn part<'a>(&self, input: &'a [f32], part: Part) -> Matrix<'a> {
        let stride = 3 * self.sizes.width();
        let start = self.image * self.sizes.tokens * stride + part as usize * self.sizes.width();
        Matrix { values: &input[start + self.number * self.sizes.head..], stride }
    }

    /// This head's rows of the attention's output.
    pub(super) fn of_output<'a>(&self, output: &'a [f32]) -> Matrix<'a> {
        let stride = self.sizes.width();
        let start = self.image * self.sizes.tokens * stride + self.number * self.sizes.head;
        Matrix { values: &output[start..], stride }
    }

    /// Copies rows of this head to `[tokens, padded head]`, with zeros behind each.
    pub(super) fn copy(&self, rows: Matrix<'_>, to: &mut [f32]) {
        let head = self.sizes.head;
        let padded = to.chunks_exact_mut(self.sizes.padded_head()).take(self.sizes.tokens);
        for (to, from) in padded.zip(rows.values.chunks(rows.stride)) {
            to[..head].copy_from_slice(&from[..head]);
            to[head..].fill(0.0);
        }
    }

    /// Packs the transpose of rows of this head, times `factor`, as a product's right factor.
    pub(super) fn transpose(&self, rows: Matrix<'_>, factor: f32, to: &mut [f32]) {
        let AttentionSizes { tokens, head, .. } = self.sizes;
        let to = to[..packed_len(head, tokens)].chunks_mut(head * STRIP);
        for (strip, to) in strips(tokens).zip(to) {
            pack_columns(rows, tokens, strip, factor, to);
        }
    }

    /// The products of `rows` rows, from `first` on, with every token: `transposed` is what [`Self::transpose`] packed.
    /// `[rows, padded tokens]`.
    pub(super) fn with_every_token(
        &self,
        left: Matrix<'_>,
        (first, rows): (usize, usize),
        transposed: &[f32],
        to: &mut [f32],
    ) {
        let AttentionSizes { tokens, head, .. } = self.sizes;
        let padded = self.sizes.padded_tokens();
        for (start, width, strip) in packed_strips(transposed, head, tokens) {
            Arch::new().dispatch(Product {
                left: left.values,
                order: LeftOrder::Rows,
                right: strip,
                right_stride: width,
                taps: &[Tap { left: 0, right: 0 }],
                run: head,
                rows,
                place: |row: usize| ((first + row) * left.stride, row * padded + start),
                width,
                columns: width,
                target: &mut *to,
                add: false,
            });
        }
    }

    /// `weights`, `[rows, padded tokens]`, times the rows of every token, `[tokens, padded head]`: `[rows, padded head]`.
    pub(super) fn mix(&self, weights: &[f32], rows: usize, of_tokens: &[f32], to: &mut [f32]) {
        let (tokens, padded) = (self.sizes.padded_tokens(), self.sizes.padded_head());
        for (start, width) in strips(self.sizes.head) {
            Arch::new().dispatch(Product {
                left: weights,
                order: LeftOrder::Rows,
                right: of_tokens,
                right_stride: padded,
                taps: &[Tap { left: 0, right: start }],
                run: self.sizes.tokens,
                rows,
                place: |row: usize| (row * tokens, row * padded + start),
                width,
                columns: width,
                target: &mut *to,
                add: false,
            });
        }
    }

    /// The transpose of `weights`, `[rows, padded tokens]`, times the rows of a block, `[rows, padded head]`, added to
    /// `[tokens, padded head]`.
    pub(super) fn add_transposed(
        &self,
        weights: &[f32],
        rows: usize,
        of_block: &[f32],
        to: &mut [f32],
    ) {
        let (tokens, padded) = (self.sizes.padded_tokens(), self.sizes.padded_head());
        for (start, width) in strips(self.sizes.head) {
            Arch::new().dispatch(Product {
                left: weights,
                order: LeftOrder::Steps(tokens),
                right: of_block,
                right_stride: padded,
                taps: &[Tap { left: 0, right: start }],
                run: rows,
                rows: self.sizes.tokens,
                place: |row: usize| (row, row * padded + start),
                width,
                columns: width,
                target: &mut *to,
                add: true,
            });
        }
    }
}
