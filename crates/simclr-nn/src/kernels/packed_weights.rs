//! Weights in the order in which the products read them.

use rayon::prelude::*;

use super::memory::Lent;
use super::product::{STRIP, padded_columns, strips};
use super::strip_copies::gather;

/// Weights `[channels_out, channels_in, kh, kw]` as `[strip][position][inner][width]`. The strips cut up the channels
/// that come out of the product: `channels_out`, or `channels_in` if they are for the input's gradient. It sums over the
/// others, `inner`.
pub(crate) struct PackedWeights {
    values: Lent,
    positions: usize,
    /// Channels that the product sums over.
    pub(super) inner: usize,
    /// Channels that come out of the product.
    pub(super) columns: usize,
    /// Whether they are for the gradient of the input.
    pub(super) transposed: bool,
}

impl PackedWeights {
    /// For the output. `channels` are out and in.
    pub(crate) fn forward(weights: &[f32], channels: [usize; 2], positions: usize) -> Self {
        let [columns, inner] = channels;
        let packed = Self::empty([inner, columns], positions, false);
        packed.filled(|values, (start, width), lanes| {
            let of_lanes = weights.chunks_exact(inner * positions).skip(start);
            let rows: Vec<&[f32]> = of_lanes.take(lanes).collect();
            gather(&rows, inner * positions, width, values, |step| {
                step % positions * inner + step / positions
            });
        })
    }

    /// For the gradient of the input. `channels` are out and in.
    pub(crate) fn backward(weights: &[f32], channels: [usize; 2], positions: usize) -> Self {
        let [inner, columns] = channels;
        let packed = Self::empty([inner, columns], positions, true);
        packed.filled(|values, (start, width), lanes| {
            for (k, weights) in weights.chunks_exact(columns * positions).enumerate() {
                let of_lanes = weights[start * positions..].chunks_exact(positions);
                for (lane, weights) in of_lanes.enumerate().take(lanes) {
                    for (position, &w) in weights.iter().enumerate() {
                        values[(position * inner + k) * width + lane] = w;
                    }
                }
            }
        })
    }

    fn empty([inner, columns]: [usize; 2], positions: usize, transposed: bool) -> Self {
        let values = Lent::new(positions * inner * padded_columns(columns));
        Self { values, positions, inner, columns, transposed }
    }

    /// Calls `fill` with each strip, where it starts and how wide it is, and how many columns it has.
    fn filled(mut self, fill: impl Fn(&mut [f32], (usize, usize), usize) + Sync) -> Self {
        let strips: Vec<_> = strips(self.columns).collect();
        let chunks = self.values.par_chunks_mut((self.positions * self.inner * STRIP).max(1));
        chunks.zip(strips).for_each(|(values, (start, width))| {
            let lanes = width.min(self.columns - start);
            if lanes < width {
                values.fill(0.0);
            }
            fill(values, (start, width), lanes);
        });
        self
    }

    /// One strip: `[position][inner][width]`.
    pub(super) fn strip(&self, start: usize, width: usize) -> &[f32] {
        let row = self.positions * self.inner;
        &self.values[row * start..][..row * width]
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }
}
