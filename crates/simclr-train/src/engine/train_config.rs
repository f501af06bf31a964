//! The settings of training, whatever the examples are.

use serde::{Deserialize, Serialize};
use simclr_loss::Temperature;
use simclr_range::OutOfRange;

use crate::engine::chunk_statistics::ChunkStatistics;
use crate::engine::loss_config::LossConfig;
use crate::engine::precision::Precision;
use crate::optim::optimizer::OptimizerConfig;
use crate::rate::learning_rate::LearningRate;
use crate::watch::monitor_every::MonitorEvery;

/// The settings of a [`Trainer`](crate::Trainer), and the table `[train]` of a run's `config.toml`.
///
/// The same config, encoder and views give the same weights on the same backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// The seed of the order of the examples. Image pretraining draws weights and views from it too.
    pub seed: u64,
    /// The number of epochs, at least 1.
    pub epochs: usize,
    /// Steps of an epoch, at least 1. After each epoch the trainer saves a checkpoint, and may ask the monitor. `None` is
    /// one pass over the examples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_per_epoch: Option<usize>,
    /// Examples in a step, n, at least 2. Each has V views, usually 2; each view has V - 1 partners and V (n - 1) negatives.
    pub batch_size: usize,
    /// Examples that are encoded at a time, a divisor of `batch_size`. It bounds the memory of a step at the price of
    /// a second forward pass, unless there are as many devices as chunks. The encoder's batch normalisation sees one chunk (see [`ChunkStatistics`]); everything
    /// else is as if the batch were encoded at once. `None` is the whole batch, or each device's share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_size: Option<usize>,
    /// Whether an encoder with batch normalisation may be trained in chunks.
    #[serde(default)]
    pub chunk_statistics: ChunkStatistics,
    /// The number format that the encoder computes in.
    #[serde(default)]
    pub precision: Precision,
    /// The peak of the schedule, and how it grows with the batch.
    pub learning_rate: LearningRate,
    /// Epochs of linear warm-up before the cosine, at most `epochs`.
    pub warmup_epochs: usize,
    /// The loss.
    pub loss: LossConfig,
    /// The optimiser.
    pub optimizer: OptimizerConfig,
    /// The share of an average of the parameters that each step keeps, in 0..1; the monitor and the saved encoder then have
    /// the average (an exponential moving average, EMA) in place of the last step's parameters. Batch normalisation's running
    /// statistics are averages already, and stay. `None`, the default: no average.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ema_decay: Option<f64>,
    /// The share of examples, in 0..=1, that may be unreadable. They are skipped; a run stops by itself where more than
    /// this share of its distinct examples cannot be read, with 0 at the first one. Default 0.1.
    #[serde(default = "default_max_skipped")]
    pub max_skipped: f64,
    /// The run ends after an epoch if the contrastive top-1, averaged over an epoch, has not risen by a tenth of a point in so many
    /// epochs, at least 1. `None`, the default: it trains for all epochs. The learning rate then has not come down its whole
    /// schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_when_flat: Option<usize>,
    /// How often the trainer asks its monitor, if it has one.
    #[serde(default)]
    pub monitor_every: MonitorEvery,
}

/// A tenth: fewer are single files, more are a folder that is not what it seems.
pub(crate) fn default_max_skipped() -> f64 {
    0.1
}

impl TrainConfig {
    /// Settings by which a slim network learns much in minutes: 30 epochs of 64 examples in a step, `AdamW` at 2e-3
    /// with one epoch of warm-up, NT-Xent at a temperature of 0.2.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "0.2 is a legal temperature")]
    pub fn small() -> Self {
        let temperature = Temperature::new(0.2).expect("0.2 is a temperature");
        Self {
            seed: 0,
            epochs: 30,
            steps_per_epoch: None,
            batch_size: 64,
            chunk_size: None,
            chunk_statistics: ChunkStatistics::default(),
            precision: Precision::default(),
            learning_rate: LearningRate::unscaled(2e-3),
            warmup_epochs: 1,
            loss: LossConfig::NtXent { temperature },
            optimizer: OptimizerConfig::adamw(1e-4),
            ema_decay: None,
            max_skipped: default_max_skipped(),
            stop_when_flat: None,
            monitor_every: MonitorEvery::default(),
        }
    }

    /// Checks every value, as [`Trainer::new`](crate::Trainer::new) does.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`], which names the field, its range and the value found.
    pub fn check(&self) -> Result<(), OutOfRange> {
        OutOfRange::unless(self.epochs > 0, "epochs", "at least 1", self.epochs)?;
        OutOfRange::unless(
            self.batch_size > 1,
            "batch_size",
            "at least 2 (a single example has no negatives)",
            self.batch_size,
        )?;
        if let Some(steps) = self.steps_per_epoch {
            OutOfRange::unless(steps > 0, "steps_per_epoch", "at least 1", steps)?;
        }
        if let Some(chunk_size) = self.chunk_size {
            OutOfRange::unless(
                chunk_size > 0 && self.batch_size.is_multiple_of(chunk_size),
                "chunk_size",
                format!("a divisor of the batch size, {}", self.batch_size),
                chunk_size,
            )?;
        }
        self.learning_rate.check(self.batch_size)?;
        OutOfRange::unless(
            self.warmup_epochs <= self.epochs,
            "warmup_epochs",
            format!("at most {}, the number of epochs", self.epochs),
            self.warmup_epochs,
        )?;
        if let Some(epochs) = self.stop_when_flat {
            OutOfRange::unless(epochs > 0, "stop_when_flat", "at least 1", epochs)?;
        }
        if let Some(decay) = self.ema_decay {
            let legal = 0.0 < decay && decay < 1.0;
            OutOfRange::unless(legal, "ema_decay", "above 0 and below 1", decay)?;
        }
        let legal = (0.0..=1.0).contains(&self.max_skipped);
        OutOfRange::unless(legal, "max_skipped", "in 0..=1", self.max_skipped)?;
        self.optimizer.check()
    }

    /// Steps of an epoch on a data set of `examples`. Examples that don't fill a last batch wait for the next pass.
    #[must_use]
    pub fn steps_in_epoch(&self, examples: usize) -> usize {
        self.steps_per_epoch.unwrap_or(examples / self.batch_size)
    }

    /// Examples of a chunk on so many devices, see [`chunk_size`](Self::chunk_size).
    pub(crate) fn examples_in_chunk(&self, devices: usize) -> usize {
        self.chunk_size.unwrap_or(self.batch_size / devices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::decay_scope::DecayScope;

    /// Two epochs of 8 examples in a step.
    fn short() -> TrainConfig {
        TrainConfig { epochs: 2, batch_size: 8, ..TrainConfig::small() }
    }

    fn message(change: impl FnOnce(&mut TrainConfig)) -> String {
        let mut config = short();
        change(&mut config);
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn epochs_cannot_be_zero() {
        assert_eq!(message(|c| c.epochs = 0), "expected epochs to be at least 1, found 0");
    }

    #[test]
    fn a_batch_of_one_has_no_negatives() {
        assert!(message(|c| c.batch_size = 1).starts_with("expected batch_size to be at least 2"));
    }

    #[test]
    fn chunks_divide_the_batch() {
        for bad in [0, 3, 16] {
            assert_eq!(
                message(|c| c.chunk_size = Some(bad)),
                format!("expected chunk_size to be a divisor of the batch size, 8, found {bad}")
            );
        }
    }

    #[test]
    fn an_epoch_has_a_step() {
        assert!(message(|c| c.steps_per_epoch = Some(0)).starts_with("expected steps_per_epoch"));
    }

    #[test]
    fn the_learning_rate_is_finite_and_positive() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(
                message(|c| c.learning_rate = LearningRate::linear(bad)),
                format!("expected learning_rate to be finite and positive, found {bad}")
            );
        }
    }

    #[test]
    fn a_scaled_rate_is_finite_too_but_has_no_upper_bound() {
        assert_eq!(
            message(|c| c.learning_rate = LearningRate::sqrt(1e308)),
            "expected learning_rate to be finite when scaled to a batch of 8, found inf"
        );
        let config = TrainConfig { learning_rate: LearningRate::unscaled(1e6), ..short() };
        config.check().unwrap();
    }

    #[test]
    fn the_unreadable_share_is_a_share() {
        for bad in [-0.1, 1.5, f64::NAN] {
            assert_eq!(
                message(|c| c.max_skipped = bad),
                format!("expected max_skipped to be in 0..=1, found {bad}")
            );
        }
    }

    #[test]
    fn warm_up_fits_into_the_run() {
        assert!(
            message(|c| c.warmup_epochs = 3).starts_with("expected warmup_epochs to be at most 2")
        );
    }

    #[test]
    fn optimizer_values_are_checked() {
        let sgd = |momentum, nesterov, weight_decay| OptimizerConfig::Sgd {
            momentum,
            nesterov,
            weight_decay,
            decay_scope: DecayScope::All,
        };
        let lars = |momentum, weight_decay, trust_coefficient| OptimizerConfig::Lars {
            momentum,
            weight_decay,
            trust_coefficient,
        };
        for bad in [
            sgd(1.0, false, 0.0),
            sgd(f64::NAN, false, 0.0),
            sgd(0.0, true, 0.0),
            sgd(0.9, true, -1.0),
            OptimizerConfig::adamw(f32::NAN),
            lars(1.0, 0.0, 0.001),
            lars(0.9, -1.0, 0.001),
            lars(0.9, 0.0, 0.0),
            lars(0.9, 0.0, f64::INFINITY),
        ] {
            assert!(message(|c| c.optimizer = bad).starts_with("expected optimizer."), "{bad:?}");
        }
    }
}
