//! The coefficients of each channel.

use super::blocks::repeated;
use crate::activation::Activation;

/// The mean, variance, scale and shift of each channel, and what follows.
pub(crate) struct Normalisation<'a> {
    pub(crate) mean: &'a [f32],
    pub(crate) variance: &'a [f32],
    pub(crate) gamma: &'a [f32],
    pub(crate) beta: &'a [f32],
    pub(crate) epsilon: f64,
    /// The function of the results.
    pub(crate) activation: Activation,
}

impl Normalisation<'_> {
    pub(super) fn channels(&self) -> usize {
        self.mean.len()
    }

    pub(super) fn inverse_deviation(&self) -> impl Iterator<Item = f32> + Clone {
        self.variance.iter().map(|&v| 1.0 / (v + self.epsilon as f32).sqrt())
    }

    /// The mean, gamma over the deviation, and beta of each channel, repeated over a period.
    pub(super) fn coefficients(&self) -> [Vec<f32>; 3] {
        let scale = self.inverse_deviation().zip(self.gamma).map(|(i, g)| i * g);
        [
            repeated(self.mean.iter().copied(), self.channels()),
            repeated(scale, self.channels()),
            repeated(self.beta.iter().copied(), self.channels()),
        ]
    }
}
