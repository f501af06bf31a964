//! Everything that determines a run but the images.

use serde::{Deserialize, Serialize};
use simclr_augment::{AugmentationConfig, SimClrAugmentation};
use simclr_model::{ProjectionHeadConfig, ResNetConfig};

use crate::error::TrainError;
use crate::loss_config::LossConfig;
use crate::optimizer::OptimizerConfig;

/// The config of a pretraining run: with the same images, the same config gives the same encoder on
/// the same backend.
///
/// It is `config.toml` of a run directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainConfig {
    /// Seeds the weights, the order of the images and every view.
    pub seed: u64,
    /// Passes over the images, at least 1.
    pub epochs: usize,
    /// Images in a step, 2 or more: each has 2 views, and 2 (n - 1) negatives.
    pub batch_size: usize,
    /// The schedule's peak, finite and positive. It is used as it stands: no scaling by the batch.
    pub learning_rate: f64,
    /// Epochs of linear warm-up before the cosine, at most `epochs`.
    pub warmup_epochs: usize,
    /// Which loss.
    pub loss: LossConfig,
    /// Which optimiser.
    pub optimizer: OptimizerConfig,
    /// Which encoder.
    pub encoder: ResNetConfig,
    /// The head on top of the encoder.
    #[serde(default)]
    pub projection: ProjectionHeadConfig,
    /// How views are drawn, and at what size.
    pub augmentation: AugmentationConfig,
}

impl PretrainConfig {
    /// Checks every value, and that `images` are enough for a batch.
    ///
    /// # Errors
    ///
    /// [`TrainError::Config`], which names the field, the legal range and the value found, or
    /// [`TrainError::Augmentation`].
    pub fn check(&self, images: usize) -> Result<(), TrainError> {
        if self.epochs == 0 {
            return Err(TrainError::config("epochs", "at least 1", self.epochs));
        }
        if self.batch_size < 2 {
            let expected = "at least 2 (an image alone has no negatives to be told from)";
            return Err(TrainError::config("batch_size", expected, self.batch_size));
        }
        if self.batch_size > images {
            let expected = format!("at most {images}, the number of images");
            return Err(TrainError::config("batch_size", expected, self.batch_size));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(TrainError::config(
                "learning_rate",
                "finite and positive",
                self.learning_rate,
            ));
        }
        if self.warmup_epochs > self.epochs {
            let expected = format!("at most {}, the number of epochs", self.epochs);
            return Err(TrainError::config("warmup_epochs", expected, self.warmup_epochs));
        }
        self.optimizer.check()?;
        self.augmentation().map(drop)
    }

    /// The augmentation, checked.
    ///
    /// # Errors
    ///
    /// [`TrainError::Augmentation`], which names the field that is wrong.
    pub fn augmentation(&self) -> Result<SimClrAugmentation, TrainError> {
        Ok(SimClrAugmentation::new(self.augmentation.clone())?)
    }

    /// Steps in an epoch: images that don't fill a last batch wait for the next epoch.
    #[must_use]
    pub fn steps_per_epoch(&self, images: usize) -> usize {
        images / self.batch_size
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use simclr_loss::Temperature;
    use simclr_model::{ResNetDepth, Stem};

    /// Seconds on a CPU: 16 px, a very slim network.
    pub(crate) fn tiny() -> PretrainConfig {
        PretrainConfig {
            seed: 1,
            epochs: 2,
            batch_size: 8,
            learning_rate: 1e-3,
            warmup_epochs: 1,
            loss: LossConfig::NtXent { temperature: Temperature::new(0.5).unwrap() },
            optimizer: OptimizerConfig::AdamW { weight_decay: 1e-4 },
            encoder: ResNetConfig { depth: ResNetDepth::ResNet18, width: 2, stem: Stem::Cifar },
            projection: ProjectionHeadConfig { hidden_size: None, output_size: 8 },
            augmentation: SimClrAugmentation::cifar10().with_size(16).unwrap().config().clone(),
        }
    }

    fn message(change: impl FnOnce(&mut PretrainConfig)) -> String {
        let mut config = tiny();
        change(&mut config);
        config.check(100).unwrap_err().to_string()
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
    fn a_batch_cannot_be_larger_than_the_data_set() {
        assert_eq!(
            message(|c| c.batch_size = 101),
            "expected batch_size to be at most 100, the number of images, found 101"
        );
    }

    #[test]
    fn the_learning_rate_is_finite_and_positive() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(
                message(|c| c.learning_rate = bad),
                format!("expected learning_rate to be finite and positive, found {bad}")
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
        };
        for bad in [
            sgd(1.0, false, 0.0),
            sgd(f64::NAN, false, 0.0),
            sgd(0.0, true, 0.0),
            sgd(0.9, true, -1.0),
        ] {
            assert!(message(|c| c.optimizer = bad).starts_with("expected optimizer."), "{bad:?}");
        }
    }

    #[test]
    fn a_config_survives_toml_and_unknown_keys_are_named() {
        let text = toml::to_string(&tiny()).unwrap();
        assert_eq!(toml::from_str::<PretrainConfig>(&text).unwrap(), tiny());
        let error = toml::from_str::<PretrainConfig>(&format!("epoch = 3\n{text}")).unwrap_err();
        assert!(error.to_string().contains("unknown field `epoch`"), "{error}");
        assert!(
            toml::from_str::<PretrainConfig>(
                &text.replace("temperature = 0.5", "temperature = 0.0")
            )
            .is_err()
        );
    }
}
