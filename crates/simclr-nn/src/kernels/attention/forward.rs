//! The output.

use rayon::prelude::*;

use super::head::{Head, Part};
use super::sizes::AttentionSizes;
use crate::kernels::memory::take;
use crate::kernels::packing::packed_len;
use crate::kernels::scratch::with_scratch;
use crate::kernels::softmax::{Normaliser, powers};

/// The output of an attention over `input`, and what its gradient needs: each query's normaliser, by image and head.
pub(crate) fn attention(sizes: AttentionSizes, input: &[f32]) -> (Vec<f32>, Vec<Normaliser>) {
    let mut output = take(sizes.output_len());
    let rows = sizes.rows_by_head(&mut output, 1);
    let mut normalisers = vec![Normaliser::default(); sizes.images * sizes.heads * sizes.tokens];
    let tasks = rows.into_par_iter().zip(normalisers.par_chunks_mut(sizes.tokens));
    tasks.enumerate().for_each(|(index, (mut rows, normalisers))| {
        Head::new(sizes, index).attend(input, &mut rows, normalisers);
    });
    (output, normalisers)
}

impl Head {
    fn attend(&self, input: &[f32], output: &mut [&mut [f32]], normalisers: &mut [Normaliser]) {
        let AttentionSizes { tokens, head, .. } = self.sizes;
        let block = self.sizes.block();
        let lens = [
            packed_len(head, tokens),
            tokens * self.sizes.padded_head(),
            block * self.sizes.padded_tokens(),
            block * self.sizes.padded_head(),
        ];
        with_scratch(lens.iter().sum(), |memory| {
            let [keys, values, scores, mixed] = split(memory, lens);
            self.transpose(self.part(input, Part::Keys), self.sizes.scale(), keys);
            self.copy(self.part(input, Part::Values), values);
            let blocks = output.chunks_mut(block).zip(normalisers.chunks_mut(block));
            for (index, (output, normalisers)) in blocks.enumerate() {
                let rows = output.len();
                let queries = self.part(input, Part::Queries);
                self.with_every_token(queries, (index * block, rows), keys, scores);
                self.powers_of_scores(scores, normalisers);
                self.mix(scores, rows, values, mixed);
                let mixed = mixed.chunks_exact(self.sizes.padded_head());
                for ((output, mixed), normaliser) in output.iter_mut().zip(mixed).zip(normalisers) {
                    for (y, x) in output.iter_mut().zip(mixed) {
                        *y = x * normaliser.inverse_sum;
                    }
                }
            }
        });
    }

    fn powers_of_scores(&self, scores: &mut [f32], normalisers: &mut [Normaliser]) {
        let rows = scores.chunks_exact_mut(self.sizes.padded_tokens());
        for (row, normaliser) in rows.zip(normalisers) {
            *normaliser = powers(&mut row[..self.sizes.tokens]);
        }
    }
}

/// Cuts `memory` into parts of these lengths.
pub(super) fn split<const N: usize>(memory: &mut [f32], lens: [usize; N]) -> [&mut [f32]; N] {
    let mut rest = memory;
    lens.map(|len| {
        let (part, others) = std::mem::take(&mut rest).split_at_mut(len);
        rest = others;
        part
    })
}
