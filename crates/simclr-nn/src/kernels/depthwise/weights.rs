//! Weights in the order in which they are read.

use super::strip::WIDEST;

/// Weights by kernel position, `[positions, padded]`: each position's channels are followed by zeros that fill a vector.
pub(super) struct Weights {
    values: Vec<f32>,
    padded: usize,
}

impl Weights {
    /// From `weights`, `[channels, positions]`: the given positions, in this order.
    pub(super) fn new(
        weights: &[f32],
        channels: usize,
        positions: impl ExactSizeIterator<Item = usize>,
    ) -> Self {
        let of_channel = weights.len() / channels;
        let padded = channels.next_multiple_of(WIDEST);
        let mut values = vec![0.0; positions.len() * padded];
        for (row, position) in values.chunks_exact_mut(padded).zip(positions) {
            for (slot, of_channel) in row.iter_mut().zip(weights.chunks_exact(of_channel)) {
                *slot = of_channel[position];
            }
        }
        Self { values, padded }
    }

    /// One number for each channel, at one position; zeros for nothing.
    pub(super) fn per_channel(values: Option<&[f32]>, channels: usize) -> Self {
        if let Some(values) = values {
            return Self::new(values, channels, 0..1);
        }
        let padded = channels.next_multiple_of(WIDEST);
        Self { values: vec![0.0; padded], padded }
    }

    /// Each position's channels.
    #[inline(always)]
    pub(super) fn positions(&self) -> std::slice::ChunksExact<'_, f32> {
        self.values.chunks_exact(self.padded)
    }
}
