//! The learning rate of a recipe: a base that grows with the batch.

use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

/// The peak of the schedule: a base rate, and how it grows with the batch.
///
/// ```
/// use simclr_train::LearningRate;
///
/// // The two forms of google's ImageNet recipe are the same at its batch of 4096.
/// assert_eq!(LearningRate::linear(0.3).peak(4096), 4.8);
/// assert_eq!(LearningRate::sqrt(0.075).peak(4096), 4.8);
/// assert_eq!(LearningRate::unscaled(1e-3).peak(4096), 1e-3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LearningRate {
    /// The rate before scaling, finite and positive.
    pub base: f64,
    /// How the peak grows with the batch.
    pub scaling: LearningRateScaling,
}

/// How the peak grows with the batch size (Chen et al. 2020, appendix B.1; google's flag `--learning_rate_scaling`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LearningRateScaling {
    /// Not at all.
    None,
    /// base * batch / 256 (Goyal et al. 2017).
    Linear,
    /// base * sqrt(batch), which suits small batches and short runs better.
    Sqrt,
}

/// The batch size at which linear scaling changes nothing.
const LINEAR_BATCH: f64 = 256.0;

impl LearningRate {
    /// `base` at every batch size.
    #[must_use]
    pub fn unscaled(base: f64) -> Self {
        Self { base, scaling: LearningRateScaling::None }
    }

    /// `base * batch / 256`.
    #[must_use]
    pub fn linear(base: f64) -> Self {
        Self { base, scaling: LearningRateScaling::Linear }
    }

    /// `base * sqrt(batch)`.
    #[must_use]
    pub fn sqrt(base: f64) -> Self {
        Self { base, scaling: LearningRateScaling::Sqrt }
    }

    /// The peak for steps of `batch_size` examples.
    #[must_use]
    pub fn peak(self, batch_size: usize) -> f64 {
        let batch = batch_size as f64;
        match self.scaling {
            LearningRateScaling::None => self.base,
            LearningRateScaling::Linear => self.base * batch / LINEAR_BATCH,
            LearningRateScaling::Sqrt => self.base * batch.sqrt(),
        }
    }

    /// The calculation of the peak: `0.3 * 4096 / 256 = 4.8`.
    #[must_use]
    pub fn in_words(self, batch_size: usize) -> String {
        let (base, peak) = (self.base, self.peak(batch_size));
        match self.scaling {
            LearningRateScaling::None => format!("{base}"),
            LearningRateScaling::Linear => format!("{base} * {batch_size} / 256 = {peak}"),
            LearningRateScaling::Sqrt => format!("{base} * sqrt({batch_size}) = {peak}"),
        }
    }

    pub(crate) fn check(self, batch_size: usize) -> Result<(), OutOfRange> {
        let legal = self.base.is_finite() && self.base > 0.0;
        OutOfRange::unless(legal, "learning_rate", "finite and positive", self.base)?;
        let peak = self.peak(batch_size);
        let expected = format!("finite when scaled to a batch of {batch_size}");
        OutOfRange::unless(peak.is_finite(), "learning_rate", expected, peak)
    }
}
