//! The sizes of an attention, and where a head's numbers lie.

use crate::kernels::product::padded_columns;

/// Queries of a block, at most.
const BLOCK: usize = 64;

/// The sizes of an attention. Its input is `[images, tokens, 3 * heads * head]`: of each token all heads' queries, then
/// their keys, then their values. Its output is `[images, tokens, heads * head]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttentionSizes {
    pub(crate) images: usize,
    pub(crate) tokens: usize,
    pub(crate) heads: usize,
    /// Length of a head's queries, keys and values.
    pub(crate) head: usize,
}

impl AttentionSizes {
    /// Numbers of a token in the output.
    pub(super) fn width(&self) -> usize {
        self.heads * self.head
    }

    /// Similarities are divided by the root of a head's length.
    pub(super) fn scale(&self) -> f32 {
        (self.head as f64).sqrt().recip() as f32
    }

    pub(super) fn output_len(&self) -> usize {
        self.images * self.tokens * self.width()
    }

    /// Length of a row of scores in memory.
    pub(super) fn padded_tokens(&self) -> usize {
        padded_columns(self.tokens)
    }

    /// Length of a head's row in memory.
    pub(super) fn padded_head(&self) -> usize {
        padded_columns(self.head)
    }

    /// Queries of a block: all blocks have about as many.
    pub(super) fn block(&self) -> usize {
        self.tokens.div_ceil(self.tokens.div_ceil(BLOCK)).next_multiple_of(8)
    }

    /// The rows of `values`, `[images, tokens, parts * heads * head]`, by image, part and head.
    pub(super) fn rows_by_head<'a>(
        &self,
        values: &'a mut [f32],
        parts: usize,
    ) -> Vec<Vec<&'a mut [f32]>> {
        let per_token = parts * self.heads;
        let empty = || Vec::with_capacity(self.tokens);
        let mut rows: Vec<_> = (0..self.images * per_token).map(|_| empty()).collect();
        for (index, row) in values.chunks_exact_mut(self.head).enumerate() {
            let image = index / (per_token * self.tokens);
            rows[image * per_token + index % per_token].push(row);
        }
        rows
    }
}
