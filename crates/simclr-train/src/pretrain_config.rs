//! Everything that determines a run but the images.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use simclr_augment::{AugmentationConfig, CropConfig, SimClrAugmentation};
use simclr_loss::Temperature;
use simclr_model::{
    Encoder, EncoderConfig, ImageEncoder, ProjectionHeadConfig, ResNetConfig, ResNetDepth, SimClr,
    Stem,
};

use crate::error::TrainError;
use crate::image_views::ViewPath;
use crate::learning_rate::LearningRate;
use crate::loss_config::LossConfig;
use crate::optimizer::OptimizerConfig;
use crate::precision::Precision;
use crate::run_description::RunDescription;
use simclr_eval::WarmupCosine;

/// The config of a pretraining run: with the same images, the same config gives the same encoder on
/// the same backend.
///
/// It is `config.toml` of a run directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainConfig {
    /// Seeds the weights, the order of the images and every view.
    pub seed: u64,
    /// How many epochs, at least 1.
    pub epochs: usize,
    /// Steps of an epoch, at least 1: checkpoints are saved, and kNN is asked, after each epoch. `None` is
    /// a pass over the images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps_per_epoch: Option<usize>,
    /// Images in a step, 2 or more: each has 2 views, and 2 (n - 1) negatives.
    pub batch_size: usize,
    /// Images that are encoded at a time, a divisor of `batch_size`: what bounds the memory of a step. It
    /// takes a second forward pass, and the encoder's batch normalisation sees a chunk at a time (see
    /// [`ChunkStatistics`]); everything else is as if the batch were encoded at once. `None` is the whole
    /// batch, or each device's share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_size: Option<usize>,
    /// Whether an encoder with batch normalisation may be trained in chunks.
    #[serde(default)]
    pub chunk_statistics: ChunkStatistics,
    /// What the encoder computes in.
    #[serde(default)]
    pub precision: Precision,
    /// The schedule's peak, and how it grows with the batch.
    pub learning_rate: LearningRate,
    /// Epochs of linear warm-up before the cosine, at most `epochs`.
    pub warmup_epochs: usize,
    /// Which loss.
    pub loss: LossConfig,
    /// Which optimiser.
    pub optimizer: OptimizerConfig,
    /// Which encoder.
    pub encoder: EncoderConfig,
    /// The head on top of the encoder.
    #[serde(default)]
    pub projection: ProjectionHeadConfig,
    /// Where views are computed.
    #[serde(default)]
    pub views: ViewPath,
    /// How views are drawn, and at what size.
    pub augmentation: AugmentationConfig,
}

/// What the encoder's batch normalisation is given where a batch is encoded in chunks: on one device
/// with a [`chunk_size`](PretrainConfig::chunk_size), or on several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChunkStatistics {
    /// Each chunk is normalised by its own statistics, in both forward passes, so that the gradient is
    /// exact for that network; the running averages move once a step, by the mean of the chunks'. As
    /// PyTorch's data-parallel training without synchronised batch normalisation.
    #[default]
    PerChunk,
    /// Refused: the run is an error unless every batch is encoded at once, or the encoder has no batch
    /// statistics. For those who want exactly the step of the whole batch.
    Refuse,
}

impl PretrainConfig {
    /// What a CPU learns much from in minutes, on views of `size` x `size` pixels: a slim `ResNet`-18 with
    /// the stem and the augmentation that suit the size, blocks that work from the first step
    /// ([`ResNetConfig::zero_init_residual`]), batches small enough for many steps, and crops that keep a
    /// fifth of the image at least, where the paper's keep 8 % for long runs of large networks. Where to start
    /// with images of one's own; [`Recipe`](crate::Recipe) has the published ones.
    ///
    /// # Errors
    ///
    /// [`TrainError::Augmentation`] for a size outside 1 to 16384.
    ///
    /// ```
    /// use simclr_train::PretrainConfig;
    ///
    /// let config = PretrainConfig { epochs: 50, ..PretrainConfig::small(96)? };
    /// assert_eq!(config.encoder.to_string(), "resnet18x0.25_gamma1");
    /// # Ok::<(), simclr_train::TrainError>(())
    /// ```
    pub fn small(size: u32) -> Result<Self, TrainError> {
        let stem = Stem::for_image_size(size);
        let augmentation = match stem {
            Stem::Cifar => SimClrAugmentation::cifar10(),
            _ => SimClrAugmentation::stl10(),
        };
        let encoder = ResNetConfig::new(ResNetDepth::ResNet18, 16, stem);
        let encoder = ResNetConfig { zero_init_residual: false, ..encoder };
        let augmentation = augmentation.with_size(size)?.config().clone();
        let crop = CropConfig { area: [0.2, 1.0], ..augmentation.crop.clone() };
        Ok(Self {
            seed: 0,
            epochs: 30,
            steps_per_epoch: None,
            batch_size: 64,
            chunk_size: None,
            chunk_statistics: ChunkStatistics::default(),
            precision: Precision::default(),
            learning_rate: LearningRate::unscaled(2e-3),
            warmup_epochs: 1,
            loss: LossConfig::NtXent { temperature: Temperature::new(0.2)? },
            optimizer: OptimizerConfig::adamw(1e-4),
            encoder: encoder.into(),
            projection: ProjectionHeadConfig::default(),
            views: ViewPath::Cpu,
            augmentation: AugmentationConfig { crop, ..augmentation },
        })
    }

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
        if self.steps_per_epoch == Some(0) {
            return Err(TrainError::config("steps_per_epoch", "at least 1", 0));
        }
        if let Some(chunk_size) = self.chunk_size
            && (chunk_size == 0 || !self.batch_size.is_multiple_of(chunk_size))
        {
            let expected = format!("a divisor of the batch size, {}", self.batch_size);
            return Err(TrainError::config("chunk_size", expected, chunk_size));
        }
        self.learning_rate.check(self.batch_size)?;
        if self.warmup_epochs > self.epochs {
            let expected = format!("at most {}, the number of epochs", self.epochs);
            return Err(TrainError::config("warmup_epochs", expected, self.warmup_epochs));
        }
        self.optimizer.check()?;
        let augmentation = self.augmentation()?;
        self.encoder.check_image_size(augmentation.config().size as usize)?;
        Ok(())
    }

    /// The augmentation, checked.
    ///
    /// # Errors
    ///
    /// [`TrainError::Augmentation`], which names the field that is wrong.
    pub fn augmentation(&self) -> Result<SimClrAugmentation, TrainError> {
        Ok(SimClrAugmentation::new(self.augmentation.clone())?)
    }

    /// Steps in an epoch of a data set of `images`; images that don't fill a last batch wait for the next
    /// pass.
    #[must_use]
    pub fn steps_in_epoch(&self, images: usize) -> usize {
        self.steps_per_epoch.unwrap_or(images / self.batch_size)
    }

    /// The learning rate of every step on a data set of `images`.
    #[must_use]
    pub fn schedule(&self, images: usize) -> WarmupCosine {
        let steps = self.steps_in_epoch(images);
        let peak = self.learning_rate.peak(self.batch_size);
        WarmupCosine::new(peak, self.warmup_epochs * steps, self.epochs * steps)
    }

    /// The untrained network, drawn from the seed.
    ///
    /// # Errors
    ///
    /// [`TrainError::Model`] if a size is zero.
    pub fn init_model(&self, device: &Device) -> Result<SimClr<ImageEncoder>, TrainError> {
        let encoder = self.encoder.init(self.seed, device)?;
        // The same seed would give the head the encoder's first numbers again.
        let head_seed = self.seed.wrapping_add(1);
        let head = self.projection.init(encoder.feature_size(), head_seed, device)?;
        Ok(SimClr { encoder, head })
    }

    /// What the config means for a run on a data set of `images`, for people to read before they start
    /// it.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use simclr_train::Recipe;
    ///
    /// let config = Recipe::Cifar10Google.config();
    /// let description = config.describe(50_000, &Device::flex())?;
    /// assert_eq!(description.peak_learning_rate, 2.0);
    /// assert_eq!((description.warmup_steps, description.total_steps), (970, 97_000));
    /// assert!(description.excluded.contains(&"encoder.stem.norm.gamma".to_owned()));
    /// println!("{description}");
    /// # Ok::<(), simclr_train::TrainError>(())
    /// ```
    pub fn describe(&self, images: usize, device: &Device) -> Result<RunDescription, TrainError> {
        self.check(images)?;
        let model = self.init_model(&device.clone().autodiff())?;
        Ok(RunDescription::new(self, images, &model))
    }

    /// Images of a chunk where the chunks go to `devices` in turn: see [`chunk_size`](Self::chunk_size).
    pub(crate) fn images_in_chunk(&self, devices: usize) -> usize {
        self.chunk_size.unwrap_or(self.batch_size / devices)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::decay_scope::DecayScope;
    use crate::recipe::Recipe;
    use simclr_model::{ResNetConfig, ResNetDepth, Stem};

    /// Seconds on a CPU: 16 px, a very slim network.
    pub(crate) fn tiny() -> PretrainConfig {
        PretrainConfig {
            seed: 1,
            epochs: 2,
            batch_size: 8,
            learning_rate: LearningRate::unscaled(1e-3),
            warmup_epochs: 1,
            optimizer: OptimizerConfig::adamw(1e-4),
            encoder: ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).into(),
            projection: ProjectionHeadConfig { output_size: 8, ..ProjectionHeadConfig::default() },
            augmentation: SimClrAugmentation::cifar10().with_size(16).unwrap().config().clone(),
            ..Recipe::Cifar10Google.config()
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
        let config = PretrainConfig { learning_rate: LearningRate::unscaled(1e6), ..tiny() };
        config.check(100).unwrap();
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

    #[test]
    fn a_config_survives_toml_and_unknown_keys_are_named() {
        for config in Recipe::ALL.map(Recipe::config) {
            let text = toml::to_string(&config).unwrap();
            assert_eq!(toml::from_str::<PretrainConfig>(&text).unwrap(), config);
        }
        let text = toml::to_string(&tiny()).unwrap();
        assert_eq!(toml::from_str::<PretrainConfig>(&text).unwrap(), tiny());
        let on_device = text.replace("views = \"cpu\"", "views = \"device\"");
        assert_eq!(toml::from_str::<PretrainConfig>(&on_device).unwrap().views, ViewPath::Device);
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
