//! Everything that determines a pretraining run but the images themselves.

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
use crate::images::image_config::ImageConfig;
use crate::images::image_views::ViewPath;
use crate::images::run_description::RunDescription;
use crate::rate::learning_rate::LearningRate;
use crate::run::run_directory::RunDirectory;

/// The largest view of [`PretrainConfig::for_images`].
const LARGEST_SMALL_VIEW: u32 = 64;

/// The config of a pretraining run: with the same images, the same config gives the same encoder on
/// the same backend.
///
/// Its two tables, `[train]` and `[images]`, are those of the run's `config.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PretrainConfig {
    /// How to train.
    pub train: TrainConfig,
    /// Which network, on which views.
    pub images: ImageConfig,
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
            augmentation: AugmentationConfig { crop, ..augmentation },
        };
        Ok(Self { train: TrainConfig::small(), images })
    }

    /// [`small`](Self::small) at the size of these images, at most 64 pixels: larger views take a CPU more than
    /// minutes.
    ///
    /// # Errors
    ///
    /// [`TrainError::Data`] if none of the first images can be read.
    pub fn for_images(data: &Splits) -> Result<Self, TrainError> {
        Self::small(data.typical_side()?.min(LARGEST_SMALL_VIEW))
    }

    /// What learns most from the [built-in sample](simclr_data::Sample) in two minutes on two cores: small views, many
    /// steps, and the rate that a range test suggests.
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

    /// The same config for views of `size` x `size` pixels, with the stem that suits them if the encoder is a `ResNet`.
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

    /// The config that the run in `directory` was made with.
    ///
    /// # Errors
    ///
    /// As [`RunDirectory::config`], and [`TrainError::Parse`] if the run trained something else than images.
    pub fn of_run(directory: &RunDirectory) -> Result<Self, TrainError> {
        let config = directory.config()?;
        match config.subject(ImageConfig::TABLE) {
            Ok(images) => Ok(Self { train: config.train, images }),
            Err(reason) => Err(TrainError::Parse { path: directory.config_file(), reason }),
        }
    }

    /// Checks every value: [`Pretraining::new`](crate::Pretraining::new) does it.
    ///
    /// # Errors
    ///
    /// [`TrainError`], which names the field, its range and the value found.
    pub fn check(&self) -> Result<(), TrainError> {
        self.train.check()?;
        self.images.augmentation().map(drop)
    }

    /// The untrained network, drawn from the seed.
    ///
    /// # Errors
    ///
    /// [`TrainError::Model`] for a value out of range.
    pub fn init_model(&self, device: &Device) -> Result<SimClr<ImageEncoder>, TrainError> {
        let seed = self.train.seed;
        let encoder = self.images.encoder.init(seed, device)?;
        // The same seed would give the head the encoder's first numbers again.
        let head_seed = seed.wrapping_add(1);
        let head = self.images.projection.init(encoder.feature_size(), head_seed, device)?;
        Ok(SimClr { encoder, head })
    }

    /// What the config means for a run on a data set of `images`, for people to read before they start
    /// it.
    ///
    /// # Errors
    ///
    /// [`TrainError`]: a value out of range, or fewer images than a batch.
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
        Ok(RunDescription::new(self, images, &model))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::images::recipe::Recipe;
    use crate::optim::optimizer::OptimizerConfig;

    /// Seconds on a CPU: 16 px, a very slim network.
    pub(crate) fn tiny() -> PretrainConfig {
        let PretrainConfig { train, images } = Recipe::Cifar10Google.config();
        let train = TrainConfig {
            seed: 1,
            epochs: 2,
            batch_size: 8,
            learning_rate: LearningRate::unscaled(1e-3),
            warmup_epochs: 1,
            optimizer: OptimizerConfig::adamw(1e-4),
            ..train
        };
        let images = ImageConfig {
            encoder: ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).into(),
            projection: ProjectionHeadConfig { output_size: 8, ..ProjectionHeadConfig::default() },
            augmentation: SimClrAugmentation::cifar10().with_size(16).unwrap().config().clone(),
            ..images
        };
        PretrainConfig { train, images }
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
        assert_eq!(
            toml::from_str::<PretrainConfig>(&on_device).unwrap().images.views,
            ViewPath::Device
        );
        let error =
            toml::from_str::<PretrainConfig>(&text.replace("epochs =", "epoch =")).unwrap_err();
        assert!(error.to_string().contains("unknown field `epoch`"), "{error}");
        assert!(
            toml::from_str::<PretrainConfig>(
                &text.replace("temperature = 0.5", "temperature = 0.0")
            )
            .is_err()
        );
    }
}
