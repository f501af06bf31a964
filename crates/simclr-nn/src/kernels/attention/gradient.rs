//! The gradient.

use rayon::prelude::*;

use super::forward::split;
use super::head::{Head, Part};
use super::sizes::AttentionSizes;
use crate::kernels::memory::take;
use crate::kernels::packing::packed_len;
use crate::kernels::product::ROW_SLACK;
use crate::kernels::scratch::with_scratch;
use crate::kernels::softmax::{self, Normaliser};

/// The gradient of an attention's `input`, from `gradient`, the output's.
pub(crate) fn attention_gradient(
    sizes: AttentionSizes,
    input: &[f32],
    normalisers: &[Normaliser],
    gradient: &[f32],
) -> Vec<f32> {
    let mut result = take(3 * sizes.output_len());
    let mut rows = sizes.rows_by_head(&mut result, 3);
    let heads: Vec<_> = (0..sizes.images * sizes.heads)
        .map(|index| {
            let Head { image, number, .. } = Head::new(sizes, index);
            [0, 1, 2]
                .map(|part| std::mem::take(&mut rows[(image * 3 + part) * sizes.heads + number]))
        })
        .collect();
    let tasks = heads.into_par_iter().zip(normalisers.par_chunks(sizes.tokens));
    tasks.enumerate().for_each(|(index, (mut result, normalisers))| {
        Head::new(sizes, index).gradient(input, normalisers, gradient, &mut result);
    });
    result
}

/// What a head's backward pass works on.
struct Work<'a> {
    /// Keys and values as right factors, `[head, tokens]`.
    keys_across: &'a mut [f32],
    values_across: &'a mut [f32],
    /// Queries, keys and the output's gradient, `[tokens, padded head]`.
    queries: &'a mut [f32],
    keys: &'a mut [f32],
    outputs: &'a mut [f32],
    /// The gradients of keys and values, `[tokens, padded head]`.
    of_keys: &'a mut [f32],
    of_values: &'a mut [f32],
    /// A block's softmax, and the gradient of its scores, `[block, padded tokens]`.
    weights: &'a mut [f32],
    changes: &'a mut [f32],
    /// The gradient of a block's queries, `[block, padded head]`.
    of_queries: &'a mut [f32],
}

impl Work<'_> {
    fn with(sizes: AttentionSizes, work: impl FnOnce(Work<'_>)) {
        let across = packed_len(sizes.head, sizes.tokens);
        let of_tokens = sizes.tokens * sizes.padded_head();
        let of_scores = sizes.block() * sizes.padded_tokens() + ROW_SLACK;
        let of_block = sizes.block() * sizes.padded_head();
        let [a, t, s] = [across, of_tokens, of_scores];
        let lens = [a, a, t, t, t, t, t, s, s, of_block];
        with_scratch(lens.iter().sum(), |memory| {
            let [
                keys_across,
                values_across,
                queries,
                keys,
                outputs,
                of_keys,
                of_values,
                weights,
                changes,
                of_queries,
            ] = split(memory, lens);
            work(Work {
                keys_across,
                values_across,
                queries,
                keys,
                outputs,
                of_keys,
                of_values,
                weights,
                changes,
                of_queries,
            });
        });
    }
}

impl Head {
    /// Writes the gradients of queries, keys and values.
    fn gradient(
        &self,
        input: &[f32],
        normalisers: &[Normaliser],
        gradient: &[f32],
        [of_queries, of_keys, of_values]: &mut [Vec<&mut [f32]>; 3],
    ) {
        let (padded, block) = (self.sizes.padded_head(), self.sizes.block());
        let [queries, keys, values] =
            [Part::Queries, Part::Keys, Part::Values].map(|part| self.part(input, part));
        let outputs = self.of_output(gradient);
        Work::with(self.sizes, |work| {
            self.transpose(keys, self.sizes.scale(), work.keys_across);
            self.transpose(values, 1.0, work.values_across);
            self.copy(queries, work.queries);
            self.copy(keys, work.keys);
            self.copy(outputs, work.outputs);
            work.of_keys.fill(0.0);
            work.of_values.fill(0.0);
            let blocks = of_queries.chunks_mut(block).zip(normalisers.chunks(block));
            for (index, (of_queries, normalisers)) in blocks.enumerate() {
                let (first, rows) = (index * block, of_queries.len());
                self.with_every_token(queries, (first, rows), work.keys_across, work.weights);
                self.with_every_token(outputs, (first, rows), work.values_across, work.changes);
                self.change_scores(work.weights, work.changes, normalisers);
                let of_block = first * padded..(first + rows) * padded;
                let outputs = &work.outputs[of_block.clone()];
                self.add_transposed(work.weights, rows, outputs, work.of_values);
                self.add_transposed(work.changes, rows, &work.queries[of_block], work.of_keys);
                self.mix(work.changes, rows, work.keys, work.of_queries);
                store(work.of_queries, padded, of_queries);
            }
            store(work.of_keys, padded, of_keys);
            store(work.of_values, padded, of_values);
        });
    }

    /// Turns scores into their softmax, and `changes` from the gradient of the softmax into that of the similarities.
    fn change_scores(&self, scores: &mut [f32], changes: &mut [f32], normalisers: &[Normaliser]) {
        let AttentionSizes { tokens, .. } = self.sizes;
        let padded = self.sizes.padded_tokens();
        let rows = scores.chunks_exact_mut(padded).zip(changes.chunks_exact_mut(padded));
        for ((scores, changes), &normaliser) in rows.zip(normalisers) {
            softmax::shift_and_scale(&mut scores[..tokens], normaliser);
            let weights = &scores[..tokens];
            softmax::input_gradient(weights, &mut changes[..tokens], self.sizes.scale());
        }
    }
}

/// Writes `values`, rows of `padded` numbers, to `rows`, without what they are padded with.
fn store(values: &[f32], padded: usize, rows: &mut [&mut [f32]]) {
    for (row, values) in rows.iter_mut().zip(values.chunks_exact(padded)) {
        row.copy_from_slice(&values[..row.len()]);
    }
}
