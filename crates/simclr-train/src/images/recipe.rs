//! Published recipes.

use std::fmt;
use std::str::FromStr;

use simclr_augment::SimClrAugmentation;
use simclr_loss::Temperature;
use simclr_model::{ProjectionHeadConfig, ResNetConfig, ResNetDepth, Stem};

use crate::engine::chunk_statistics::ChunkStatistics;
use crate::engine::loss_config::LossConfig;
use crate::engine::precision::Precision;
use crate::engine::train_config::{TrainConfig, default_max_skipped};
use crate::error::TrainError;
use crate::images::decoding::Decoding;
use crate::images::image_config::{ImageConfig, default_monitor_images, default_views};
use crate::images::image_views::ViewPath;
use crate::images::pretrain_config::PretrainConfig;
use crate::optim::optimizer::OptimizerConfig;
use crate::rate::learning_rate::LearningRate;
use crate::watch::monitor_every::MonitorEvery;

/// A published recipe: all settings of a run, with their source.
///
/// | name | encoder | batch | epochs | rate | weight decay | temperature |
/// |---|---|---|---|---|---|---|
/// | `imagenet-paper` | ResNet-50, 224 px | 4096 | 100 | LARS, 0.3 linear = 4.8 | 1e-6 | 0.1 |
/// | `imagenet-google` | ResNet-50, 224 px | 4096 | 100 | LARS, 0.075 sqrt = 4.8 | 1e-4 | 0.1 |
/// | `cifar10-paper` | ResNet-50, 32 px | 1024 | 1000 | LARS, 1.0 linear = 4 | 1e-6 | 0.5 |
/// | `cifar10-google` | ResNet-18, 32 px | 512 | 1000 | LARS, 1.0 linear = 2 | 1e-4 | 0.5 |
/// | `stl10-uva` | ResNet-18, 96 px | 256 | 500 | `AdamW`, 5e-4 | 1e-4 | 0.07 |
///
/// `imagenet` is short for `imagenet-paper`, `cifar10` for `cifar10-google` and `stl10` for
/// `stl10-uva`.
///
/// All LARS recipes deviate from google's code in two points. Google's loss is twice ours, since it adds the means of
/// the two views. So batch norm's parameters and the biases, which LARS does not adapt, take steps twice as long there,
/// and weight decay weighs half as much beside the gradient. Google's head has a third layer and a final normalisation
/// by default; ours has two layers, of which the hidden one is normalised. For deviations of the views, see [`SimClrAugmentation`].
///
/// ```
/// use simclr_train::Recipe;
///
/// let recipe: Recipe = "cifar10-google".parse()?;
/// let train = recipe.config().train;
/// assert_eq!(train.batch_size, 512);
/// assert_eq!(train.learning_rate.peak(train.batch_size), 2.0);
/// # Ok::<(), simclr_train::TrainError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recipe {
    /// ImageNet as in the paper.
    ImageNetPaper,
    /// ImageNet as in google's README.
    ImageNetGoogle,
    /// CIFAR-10 as in the paper: 94.0 % by linear evaluation (appendix B.9).
    Cifar10Paper,
    /// CIFAR-10 as in google's README: around 91 % by linear evaluation.
    Cifar10Google,
    /// STL-10 as in the University of Amsterdam's tutorial: 81.33 % by logistic regression.
    Stl10Uva,
}

impl Recipe {
    /// All recipes.
    pub const ALL: [Self; 5] = [
        Self::ImageNetPaper,
        Self::ImageNetGoogle,
        Self::Cifar10Paper,
        Self::Cifar10Google,
        Self::Stl10Uva,
    ];

    /// The name, which [`str::parse`] reads.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ImageNetPaper => "imagenet-paper",
            Self::ImageNetGoogle => "imagenet-google",
            Self::Cifar10Paper => "cifar10-paper",
            Self::Cifar10Google => "cifar10-google",
            Self::Stl10Uva => "stl10-uva",
        }
    }

    /// The publication of its values.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Self::ImageNetPaper => {
                "Chen et al. 2020, section 2.3 (training), table 5 (temperature), appendix A (views)"
            }
            Self::ImageNetGoogle => {
                "google-research/simclr, README.md, \"Pretraining\" on ImageNet"
            }
            Self::Cifar10Paper => {
                "Chen et al. 2020, appendix B.9: the batch of its best model; of the learning rates 0.5, \
                 1.0 and 1.5 that it tried, the middle one"
            }
            Self::Cifar10Google => "google-research/simclr, README.md, \"Pretraining\" on CIFAR-10",
            Self::Stl10Uva => {
                "University of Amsterdam, Deep Learning Tutorial 17, Self-Supervised Contrastive \
                 Learning with SimCLR; its cosine ends at 1/50 of the peak, here at 0"
            }
        }
    }

    /// The config, with seed 0.
    #[must_use]
    pub fn config(self) -> PretrainConfig {
        match self {
            Self::ImageNetPaper => imagenet(LearningRate::linear(0.3), 1e-6),
            Self::ImageNetGoogle => imagenet(LearningRate::sqrt(0.075), 1e-4),
            Self::Cifar10Paper => cifar10(ResNetDepth::ResNet50, 1024, 1e-6),
            Self::Cifar10Google => cifar10(ResNetDepth::ResNet18, 512, 1e-4),
            Self::Stl10Uva => stl10(),
        }
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Recipe {
    type Err = TrainError;

    /// Reads the name of a recipe, or one of the short names `imagenet`, `cifar10` and `stl10`.
    fn from_str(name: &str) -> Result<Self, TrainError> {
        match name {
            "imagenet" => return Ok(Self::ImageNetPaper),
            "cifar10" => return Ok(Self::Cifar10Google),
            "stl10" => return Ok(Self::Stl10Uva),
            _ => {}
        }
        Self::ALL.into_iter().find(|recipe| recipe.name() == name).ok_or_else(|| {
            TrainError::Recipe {
                found: name.to_owned(),
                known: Self::ALL.map(Self::name).join(", "),
            }
        })
    }
}

/// The width of a published ResNet ("1x").
const WIDTH: usize = 64;

fn imagenet(learning_rate: LearningRate, weight_decay: f32) -> PretrainConfig {
    let train = TrainConfig {
        seed: 0,
        epochs: 100,
        steps_per_epoch: None,
        batch_size: 4096,
        chunk_size: None,
        chunk_statistics: ChunkStatistics::default(),
        precision: Precision::default(),
        learning_rate,
        warmup_epochs: 10,
        loss: nt_xent(0.1),
        optimizer: OptimizerConfig::lars(weight_decay),
        ema_decay: None,
        max_skipped: default_max_skipped(),
        stop_when_flat: None,
        monitor_every: MonitorEvery::default(),
    };
    let encoder = ResNetConfig::new(ResNetDepth::ResNet50, WIDTH, Stem::Standard);
    PretrainConfig { train, images: images(encoder, &SimClrAugmentation::imagenet()) }
}

fn cifar10(depth: ResNetDepth, batch_size: usize, weight_decay: f32) -> PretrainConfig {
    let PretrainConfig { train, .. } = imagenet(LearningRate::linear(1.0), weight_decay);
    let train = TrainConfig { epochs: 1000, batch_size, loss: nt_xent(0.5), ..train };
    let encoder = ResNetConfig::new(depth, WIDTH, Stem::Cifar);
    PretrainConfig { train, images: images(encoder, &SimClrAugmentation::cifar10()) }
}

fn stl10() -> PretrainConfig {
    let PretrainConfig { train, .. } = imagenet(LearningRate::unscaled(5e-4), 0.0);
    let train = TrainConfig {
        epochs: 500,
        batch_size: 256,
        warmup_epochs: 0,
        loss: nt_xent(0.07),
        optimizer: OptimizerConfig::adamw(1e-4),
        ..train
    };
    let encoder = ResNetConfig::new(ResNetDepth::ResNet18, WIDTH, Stem::Standard);
    let images = images(encoder, &SimClrAugmentation::stl10());
    let projection = ProjectionHeadConfig::paper_formula();
    PretrainConfig { train, images: ImageConfig { projection, ..images } }
}

fn images(encoder: ResNetConfig, augmentation: &SimClrAugmentation) -> ImageConfig {
    ImageConfig {
        encoder: encoder.into(),
        projection: ProjectionHeadConfig::default(),
        views: ViewPath::Cpu,
        monitor_images: default_monitor_images(),
        views_per_image: default_views(),
        local_views: None,
        growing_views: None,
        decoding: Decoding::Scaled,
        augmentation: augmentation.config().clone(),
    }
}

fn nt_xent(temperature: f64) -> LossConfig {
    let temperature = Temperature::new(temperature).expect("published temperatures are positive");
    LossConfig::NtXent { temperature }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_has_a_name_and_a_legal_config_that_survives_toml() {
        for recipe in Recipe::ALL {
            let config = recipe.config();
            config.check().unwrap();
            let text = toml::to_string(&config).unwrap();
            assert_eq!(toml::from_str::<PretrainConfig>(&text).unwrap(), config);
            assert_eq!(recipe.name().parse::<Recipe>().unwrap(), recipe);
            assert!(!recipe.source().is_empty());
        }
    }

    #[test]
    fn the_effective_rates_are_the_published_ones() {
        let peaks = Recipe::ALL.map(|recipe| {
            let config = recipe.config().train;
            config.learning_rate.peak(config.batch_size)
        });
        for (peak, published) in peaks.into_iter().zip([4.8, 4.8, 4.0, 2.0, 5e-4]) {
            assert!((peak - published).abs() < 1e-12, "{peak}, {published}");
        }
    }

    #[test]
    fn the_name_of_a_data_set_is_short_for_its_usual_recipe() {
        for (name, recipe) in [
            ("imagenet", Recipe::ImageNetPaper),
            ("cifar10", Recipe::Cifar10Google),
            ("stl10", Recipe::Stl10Uva),
        ] {
            assert_eq!(name.parse::<Recipe>().unwrap(), recipe);
        }
    }

    #[test]
    fn the_error_for_an_unknown_recipe_lists_the_known_ones() {
        assert_eq!(
            "cifar100".parse::<Recipe>().unwrap_err().to_string(),
            "expected a recipe out of imagenet-paper, imagenet-google, cifar10-paper, \
             cifar10-google, stl10-uva, found \"cifar100\""
        );
    }
}
