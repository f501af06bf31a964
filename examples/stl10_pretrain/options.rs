//! The flags: those of `simclr pretrain` that matter most.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use simclr::model::EncoderConfig;
use simclr::train::{ImageSource, LearningRate, PretrainConfig, Recipe, RunDirectory};

const ENCODER_HELP: &str =
    "resnet18x0.25, resnet50, efficientnet_b0, vit_tiny_p8_i32, ... [default: a slim ResNet-18]";

/// Pretrain an encoder on unlabelled images with SimCLR, and compare it by kNN with random weights
/// and raw pixels.
#[derive(Parser)]
#[command(about, long_about = None)]
pub(crate) struct Options {
    /// Folder with STL-10 binaries, CIFAR-10 binaries or images; without it, the built-in sample
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Fetch STL-10 (2.6 GB) into the --data folder first, unless it is there
    #[arg(long, requires = "data")]
    pub(crate) download: bool,
    /// Use only N images, drawn from all classes (of the built-in sample: the first N) [default: all; sample: 2000]
    #[arg(long, value_name = "N")]
    pub(crate) images: Option<usize>,
    /// A published recipe to start from: imagenet-paper, imagenet-google, cifar10-paper,
    /// cifar10-google, stl10-uva
    #[arg(long, value_name = "NAME", conflicts_with = "resume")]
    pub(crate) recipe: Option<Recipe>,
    #[arg(long, value_name = "NAME", conflicts_with = "resume", help = ENCODER_HELP)]
    pub(crate) encoder: Option<EncoderConfig>,
    /// Width and height of a view in pixels [default: as the images, at most 64; sample: 48]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub(crate) image_size: Option<u32>,
    /// Epochs: passes over the images [default: 30; sample: 14]
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<usize>,
    /// Images in a step, each in two views [default: 64]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub(crate) batch_size: Option<usize>,
    /// Peak learning rate [default: 0.002; sample: 0.0065]
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    pub(crate) lr: Option<f64>,
    /// Seed of weights, order and views [default: 0]
    #[arg(long, value_name = "N", conflicts_with = "resume")]
    pub(crate) seed: Option<u64>,
    /// flex, ndarray, wgpu, wgpu:N, vulkan, metal, cuda:N, remote:ID@ADDRESS:PORT, as far as they are built in;
    /// several, with commas, share each batch
    #[arg(long, value_name = "NAME", default_value = "flex")]
    pub(crate) device: String,
    /// Folder for the run, new or empty [default: the first free of runs/1, runs/2, ...]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with the run in DIR where it stopped, on its own images
    #[arg(long, value_name = "DIR")]
    pub(crate) resume: Option<PathBuf>,
}

impl Options {
    /// Where the images are; a run that is resumed knows.
    pub(crate) fn source(&self, resumed: Option<&RunDirectory>) -> Result<ImageSource> {
        let of_run = resumed.map(RunDirectory::config).transpose()?;
        let of_run = of_run.and_then(|run| run.made_with.source);
        let of_run = of_run.unwrap_or(ImageSource { folder: None, limit: None });
        let folder = self.data.clone().or(of_run.folder);
        Ok(ImageSource { folder, limit: self.images.or(of_run.limit) })
    }

    /// The config, changed by the flags.
    pub(crate) fn change(&self, mut config: PretrainConfig) -> PretrainConfig {
        config.images.encoder = self.encoder.clone().unwrap_or(config.images.encoder);
        config.train.epochs = self.epochs.unwrap_or(config.train.epochs);
        config.train.batch_size = self.batch_size.unwrap_or(config.train.batch_size);
        config.train.seed = self.seed.unwrap_or(config.train.seed);
        if let Some(rate) = self.lr {
            config.train.learning_rate = LearningRate::unscaled(rate);
        }
        config
    }
}
