//! The settings of fine-tuning.

use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use super::linear_start::LinearStart;
use crate::probe::LogisticRegressionConfig;

/// Settings of [`FineTune`](crate::FineTune).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FineTuneConfig {
    /// Passes over the images, at least 1.
    pub epochs: usize,
    /// Images in a step at most, at least 1. An epoch's images are dealt into steps of equal size.
    pub batch_size: usize,
    /// The first step's rate, finite and positive.
    pub learning_rate: f64,
    /// The rule that turns gradients into steps.
    pub optimizer: FineTuneOptimizer,
    /// Pulls every parameter towards zero, finite and at least 0: factor of the weights in the gradient
    /// for SGD, share that a step of rate 1 takes away for `AdamW`.
    pub weight_decay: f32,
    /// What the linear layer starts from.
    pub start: LinearStart,
    /// Smallest and largest share of the image's area in a crop: `0 < min <= max <= 1`.
    pub crop_area: [f64; 2],
    /// Seed of the order of the images, and of their crops and flips.
    pub seed: u64,
}

/// The rule that turns gradients into steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FineTuneOptimizer {
    /// Adam with decoupled weight decay; betas 0.9 and 0.999, epsilon 1e-8, as in PyTorch.
    AdamW,
    /// Stochastic gradient descent with Nesterov's momentum of 0.9, as in the papers.
    Nesterov,
}

impl Default for FineTuneConfig {
    /// For small encoders and a few thousand images: 30 epochs of `AdamW` at 1e-3, batch 64, no weight
    /// decay, from the linear probe, on crops of at least a fifth of the image. These settings work
    /// (`docs/evaluation.md` has figures); they are not the result of a search.
    fn default() -> Self {
        Self {
            epochs: 30,
            batch_size: 64,
            learning_rate: 1e-3,
            optimizer: FineTuneOptimizer::AdamW,
            weight_decay: 0.0,
            start: LinearStart::Probe(LogisticRegressionConfig::default()),
            crop_area: [0.2, 1.0],
            seed: 0,
        }
    }
}

impl FineTuneConfig {
    /// The settings of Chen et al. 2020, appendix B.5: SGD with Nesterov's momentum at 0.05 * batch / 256,
    /// no weight decay, from zeros, on crops of 8 to 100 % of the image. They take batches of 4096, and
    /// 60 epochs on 1 % of `ImageNet`'s labels, 30 on 10 %.
    #[must_use]
    pub fn paper(epochs: usize, batch_size: usize) -> Self {
        Self {
            epochs,
            batch_size,
            learning_rate: 0.05 * batch_size as f64 / 256.0,
            optimizer: FineTuneOptimizer::Nesterov,
            weight_decay: 0.0,
            start: LinearStart::Zero,
            crop_area: [0.08, 1.0],
            seed: 0,
        }
    }

    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        let Self { epochs, batch_size, learning_rate, weight_decay, start, crop_area, .. } = self;
        OutOfRange::unless(*epochs > 0, "epochs", "at least 1", epochs)?;
        OutOfRange::unless(*batch_size > 0, "batch_size", "at least 1", batch_size)?;
        let legal = learning_rate.is_finite() && *learning_rate > 0.0;
        OutOfRange::unless(legal, "learning_rate", "finite and positive", learning_rate)?;
        let legal = weight_decay.is_finite() && *weight_decay >= 0.0;
        OutOfRange::unless(legal, "weight_decay", "finite and at least 0", weight_decay)?;
        let [smallest, largest] = *crop_area;
        let legal = 0.0 < smallest && smallest <= largest && largest <= 1.0;
        let found = format!("{crop_area:?}");
        OutOfRange::unless(legal, "crop_area", "two ascending shares in 0..=1, above 0", found)?;
        start.check().map_err(|error| error.within("start"))
    }

    /// The method and its settings, in words, after `done` epochs.
    pub(super) fn describe(&self, done: usize) -> String {
        let Self { epochs, batch_size, learning_rate, weight_decay, seed, .. } = self;
        let optimizer = match self.optimizer {
            FineTuneOptimizer::AdamW => "AdamW",
            FineTuneOptimizer::Nesterov => "SGD, Nesterov 0.9",
        };
        let duration = if done == *epochs {
            format!("{epochs} epochs")
        } else {
            format!("stopped after {done} of {epochs} epochs")
        };
        let start = self.start.describe();
        let [smallest, largest] = self.crop_area;
        format!(
            "fine-tuning ({optimizer}), {duration}, batch {batch_size}, rate {learning_rate}, cosine, \
             weight decay {weight_decay}, crops of {smallest} to {largest}, linear layer from {start}, \
             seed {seed}"
        )
    }
}
