//! Weights in the order in which the products read them.

use std::ops::Range;

use rayon::prelude::*;

use crate::kernels::product::{STRIP, padded_columns, strips};
use crate::kernels::scratch::Shared;

/// Weights `[channels_out, channels_in, kh, kw]` as `[strip][position][inner][width]`. The strips cut up the channels
/// that come out of the product: `channels_out`, or `channels_in` if `transposed`. It sums over the others, `inner`.
pub(super) struct PackedWeights {
    values: Shared,
    inner: usize,
    positions: usize,
}

impl PackedWeights {
    pub(super) fn new(
        weights: &[f32],
        channels: [usize; 2],
        positions: usize,
        transposed: bool,
    ) -> Self {
        let [channels_out, channels_in] = channels;
        let (inner, columns) =
            if transposed { (channels_out, channels_in) } else { (channels_in, channels_out) };
        let mut values = Shared::new(positions * inner * padded_columns(columns));
        let strips: Vec<_> = strips(columns).collect();
        let chunks = values.par_chunks_mut((positions * inner * STRIP).max(1));
        chunks.zip(strips).for_each(|(values, (start, width))| {
            for row in values.chunks_exact_mut(width) {
                row[width.min(columns - start)..].fill(0.0);
            }
            if positions == 1 {
                let lanes = start..columns.min(start + width);
                return copy_strip(weights, channels[1], transposed, lanes, values, width);
            }
            for lane in 0..width.min(columns - start) {
                let column = start + lane;
                for k in 0..inner {
                    let [out, into] = if transposed { [k, column] } else { [column, k] };
                    let at = (out * channels_in + into) * positions;
                    for (position, &w) in weights[at..at + positions].iter().enumerate() {
                        values[(position * inner + k) * width + lane] = w;
                    }
                }
            }
        });
        Self { values, inner, positions }
    }

    /// One strip: `[position][inner][width]`.
    pub(super) fn strip(&self, start: usize, width: usize) -> &[f32] {
        let row = self.positions * self.inner;
        &self.values[row * start..][..row * width]
    }
}

/// Rows whose parts of a strip stay in the first-level cache.
const ROWS: usize = 16;

/// Copies the channels `lanes` of a kernel with one position to a strip, `[inner][width]`.
fn copy_strip(
    weights: &[f32],
    channels_in: usize,
    transposed: bool,
    lanes: Range<usize>,
    strip: &mut [f32],
    width: usize,
) {
    if transposed {
        for (row, from) in strip.chunks_exact_mut(width).zip(weights.chunks_exact(channels_in)) {
            row[..lanes.len()].copy_from_slice(&from[lanes.clone()]);
        }
        return;
    }
    for (index, rows) in strip.chunks_mut(ROWS * width).enumerate() {
        for (lane, column) in lanes.clone().enumerate() {
            let from = &weights[column * channels_in + index * ROWS..];
            for (slot, &weight) in rows[lane..].iter_mut().step_by(width).zip(from) {
                *slot = weight;
            }
        }
    }
}
