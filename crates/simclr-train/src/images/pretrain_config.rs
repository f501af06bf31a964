//! The settings of image pretraining.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use simclr_augment::{AugmentationConfig, CropConfig, SimClrAugmentation};
use simclr_data::Splits;
use simclr_model::{
    Encoder, EncoderConfig, ImageEncoder, ProjectionHeadConfig, ResNetConfig, ResNetDepth, SimClr,
    Stem,
};

use crate::engine::train_config::TrainConfig;
use crate::error::TrainError;
use crate::images::decoding::Decoding;
use crate::images::image_config::{ImageConfig, default_monitor_images, default_views};
use crate::images::image_views::ViewPath;
use crate::images::run_description::RunDescription;
use crate::rate::learning_rate::LearningRate;
use crate::run::run_directory::RunDirectory;

/// The largest views of [`PretrainConfig::for_images`], in pixels.
const LARGEST_SMALL_VIEW: u32 = 64;

/// The settings of image pretraining. The same config and images give the same encoder on the same backend.
///
/// The run's `config.toml` has both tables, `[train]` and `[images]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainConfig {
    /// The settings of training.
    pub train: TrainConfig,
    /// The settings of network and views.
    pub images: ImageConfig,
}

impl PretrainConfig {
    /// Settings by which a CPU learns much in minutes, from views of `size` x `size` pixels. Start here with images of
    /// your own; [`Recipe`](crate::Recipe) has published settings.
    ///
    /// The encoder is a slim `ResNet`-18 with the stem and the augmentation that suit the size. All its blocks work
    /// from the first step ([`ResNetConfig::zero_init_residual`] is off). Batches are small, for many steps. Crops keep
    /// at least a fifth of the image; the paper's keep 8 %, for long runs of large networks.
    ///
    /// # Errors
    ///
    /// [`TrainError::Augmentation`] for a size outside 1 to 16384.
    ///
    /// ```
    /// use simclr_train::PretrainConfig;
    ///
    /// let mut config = PretrainConfig::small(96)?;
    /// config.train.epochs = 50;
    /// assert_eq!(config.images.encoder.to_string(), "resnet18x0.25_gamma1");
    /// # Ok::<(), simclr_train::TrainError>(())
    /// ```
    pub fn small(size: u32) -> Result<Self, TrainError> {
        let stem = Stem::for_image_size(size);
        let augmentation = match stem {
            Stem::Cifar => SimClrAugmentation::cifar10(),
            _ => SimClrAugmentation::stl10(),
        };
        let augmentation = augmentation.with_size(size)?.config().clone();
        let crop = CropConfig { area: [0.2, 1.0], ..augmentation.crop.clone() };
        let encoder = ResNetConfig::new(ResNetDepth::ResNet18, 16, stem);
        let encoder = ResNetConfig { zero_init_residual: false, ..encoder };
        let images = ImageConfig {
            encoder: encoder.into(),
            projection: ProjectionHeadConfig::default(),
            views: ViewPath::Cpu,
            monitor_images: default_monitor_images(),
            views_per_image: default_views(),
            local_views: None,
            growing_views: None,
            decoding: Decoding::Scaled,
            augmentation: AugmentationConfig { crop, ..augmentation },
        };
        Ok(Self { train: TrainConfig::small(), images })
    }

    /// [`small`](Self::small) for views as large as the typical one of these images, but at most 64 pixels, as larger
    /// views take a CPU longer than minutes; and for batches of no more than all of them.
    ///
    /// # Errors
    ///
    /// [`TrainError::Data`] if the images cannot be read.
    pub fn for_images(data: &Splits) -> Result<Self, TrainError> {
        let config = Self::small(data.typical_side()?.min(LARGEST_SMALL_VIEW))?;
        Ok(config.with_batch_within(data.pretrain.len()))
    }

    /// The config with batches of no more than `images` images, where it has larger ones.
    #[must_use]
    pub fn with_batch_within(mut self, images: usize) -> Self {
        self.train.batch_size = self.train.batch_size.min(images.max(2));
        self
    }

    /// [`small`](Self::small) with settings that suit the [built-in sample](simclr_data::Sample) and train for about a
    /// minute on two cores: 14 epochs on views of 48 pixels, at the rate that a range test suggests.
    ///
    /// # Errors
    ///
    /// As [`small`](Self::small).
    pub fn for_sample() -> Result<Self, TrainError> {
        let mut config = Self::small(48)?;
        config.train.epochs = 14;
        config.train.learning_rate = LearningRate::unscaled(6.5e-3);
        Ok(config)
    }

    /// The config with views of `size` x `size` pixels, and with the stem that suits them if the encoder is a `ResNet`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Augmentation`] for a size outside 1 to 16384.
    pub fn with_image_size(mut self, size: u32) -> Result<Self, TrainError> {
        let augmentation = SimClrAugmentation::new(self.images.augmentation)?;
        self.images.augmentation = augmentation.with_size(size)?.config().clone();
        if let EncoderConfig::ResNet(resnet) = &mut self.images.encoder {
            resnet.stem = Stem::for_image_size(size);
        }
        Ok(self)
    }

    /// The config of the run in `directory`.
    ///
    /// # Errors
    ///
    /// As [`RunDirectory::config`], and [`TrainError::Parse`] if the run did not train on images.
    pub fn of_run(directory: &RunDirectory) -> Result<Self, TrainError> {
        let config = directory.config()?;
        match config.subject(ImageConfig::TABLE) {
            Ok(images) => Ok(Self { train: config.train, images }),
            Err(reason) => Err(TrainError::Parse { path: directory.config_file(), reason }),
        }
    }

    /// Checks every value, as [`Pretraining::new`](crate::Pretraining::new) does.
    ///
    /// # Errors
    ///
    /// [`TrainError`] for a value out of range.
    pub fn check(&self) -> Result<(), TrainError> {
        self.train.check()?;
        self.images.check()
    }

    /// The data as a run with this config uses it: a [loss of labels](crate::LossConfig::needs_labels) learns from the
    /// labelled images alone ([`Splits::with_labelled_pretraining`]), any other from all. [`Pretraining`](crate::Pretraining)
    /// does the same with the data that it is given.
    ///
    /// # Errors
    ///
    /// [`TrainError::Unlabelled`] if the loss needs labels and no image has one.
    pub fn splits_for_loss(&self, data: Splits) -> Result<Splits, TrainError> {
        if !self.train.loss.needs_labels() {
            return Ok(data);
        }
        let examples = data.pretrain.len();
        let data = data.with_labelled_pretraining()?;
        if data.pretrain.is_empty() {
            return Err(TrainError::Unlabelled { unlabelled: examples, examples });
        }
        Ok(data)
    }

    /// The untrained network, drawn from the seed.
    ///
    /// # Errors
    ///
    /// [`TrainError::Model`] for a value out of range.
    pub fn init_model(&self, device: &Device) -> Result<SimClr<ImageEncoder>, TrainError> {
        let seed = self.train.seed;
        let encoder = self.images.encoder.init(seed, device)?;
        // With the same seed the head would draw the numbers of the encoder's first layers.
        let head_seed = seed.wrapping_add(1);
        let head = self.images.projection.init(encoder.feature_size(), head_seed, device)?;
        Ok(SimClr { encoder, head })
    }

    /// Describes a run with this config on a data set of `images` images, to be read before a long run.
    ///
    /// # Errors
    ///
    /// [`TrainError`] for a value out of range.
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
        self.check()?;
        let model = self.init_model(&device.clone().autodiff())?;
        Ok(RunDescription::new(&self.train, images, &model))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_survives_toml_and_unknown_keys_are_named() {
        let read = |text: &str| toml::from_str::<PretrainConfig>(text);
        let config = PretrainConfig::small(16).unwrap();
        let text = toml::to_string(&config).unwrap();
        assert_eq!(read(&text).unwrap(), config);
        let on_device = text.replace("views = \"cpu\"", "views = \"device\"");
        assert_eq!(read(&on_device).unwrap().images.views, ViewPath::Device);
        let full = read(&text.replace("decoding = \"scaled\"\n", "")).unwrap();
        assert_eq!(full.images.decoding, Decoding::Full);
        assert!(!toml::to_string(&full).unwrap().contains("decoding"), "as in older runs");
        let error = read(&text.replace("epochs =", "epoch =")).unwrap_err();
        assert!(error.to_string().contains("unknown field `epoch`"), "{error}");
        let cold = text.replace("temperature = 0.2", "temperature = 0.0");
        assert_ne!(cold, text);
        assert!(read(&cold).is_err());
    }
}
