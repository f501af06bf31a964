//! `--run`, or `--weights`: which encoder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::{Args, ValueEnum};
use sha2::{Digest, Sha256};
use simclr::augment::{EvaluationTransform, Normalization, ResizeFilter};
use simclr::embed::Embedder;
use simclr::model::EncoderConfig;
use simclr::train::{RunDirectory, device_from_name};

use crate::failure::usage;

#[derive(Args)]
pub(crate) struct EncoderArgs {
    /// Run directory of the encoder
    #[arg(
        long,
        value_name = "RUN",
        required_unless_present = "weights",
        conflicts_with = "weights"
    )]
    pub(crate) run: Option<PathBuf>,
    /// Weights of simclr, torchvision or timm instead: safetensors, .pth or .pt
    #[arg(long, value_name = "FILE", requires_all = ["encoder", "image_size"])]
    pub(crate) weights: Option<PathBuf>,
    /// What the weights are of: resnet50, efficientnet_b0, vit_small_p16, ...
    #[arg(long, value_name = "NAME", conflicts_with = "run")]
    encoder: Option<EncoderConfig>,
    /// Width and height in pixels that the weights' images have
    #[arg(long, value_name = "N", conflicts_with = "run")]
    image_size: Option<u32>,
    /// How the weights' images are normalised
    #[arg(long, value_name = "KIND", default_value = "imagenet", conflicts_with = "run")]
    normalize: Normalize,
    /// Where the encoder runs: flex (the CPU), wgpu, cuda:N, ..., as far as they are built in
    #[arg(long, value_name = "NAME", default_value = "flex")]
    pub(crate) device: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Normalize {
    /// ImageNet's means and deviations: torchvision's weights
    Imagenet,
    /// CIFAR-10's
    Cifar10,
    /// Pixels from -1 to 1
    Centred,
    /// Pixels from 0 to 1
    None,
}

/// An embedder, and what tells its vectors from others'.
pub(crate) struct TrainedEncoder {
    pub(crate) embedder: Embedder,
    /// SHA-256 of the weights' file: tells encoders apart.
    pub(crate) checksum: String,
}

impl EncoderArgs {
    pub(crate) fn load(&self) -> Result<TrainedEncoder> {
        let device = device_from_name(&self.device)?;
        if let Some(path) = &self.run {
            return from_run(path, device);
        }
        let (Some(weights), Some(encoder), Some(size)) =
            (&self.weights, &self.encoder, self.image_size)
        else {
            return Err(usage("expected --run, or --weights with --encoder and --image-size"));
        };
        let normalization = match self.normalize {
            Normalize::Imagenet => Normalization::IMAGENET,
            Normalize::Cifar10 => Normalization::CIFAR10,
            Normalize::Centred => Normalization::CENTRED,
            Normalize::None => Normalization::NONE,
        };
        let transform = EvaluationTransform::new(size, ResizeFilter::Bilinear, normalization)?;
        let embedder = Embedder::from_weights(weights, encoder, transform, &device)?;
        Ok(TrainedEncoder { embedder, checksum: checksum(weights)? })
    }

    /// The same network before it learnt anything.
    pub(crate) fn load_untrained(&self) -> Result<TrainedEncoder> {
        let mut trained = self.load()?;
        let (config, seed) = match (&self.run, &self.encoder) {
            (Some(path), _) => {
                let config = RunDirectory::open(path)?.config()?.pretrain;
                (config.encoder, config.seed)
            }
            (None, Some(encoder)) => (encoder.clone(), 0),
            (None, None) => return Err(usage("expected --run or --encoder")),
        };
        let untrained = config.init(seed, trained.embedder.device())?;
        trained.embedder = trained.embedder.with_encoder(untrained);
        Ok(trained)
    }

    /// A short name for what is evaluated.
    pub(crate) fn name(&self) -> String {
        self.run
            .as_ref()
            .or(self.weights.as_ref())
            .map_or(String::new(), |path| path.display().to_string())
    }
}

fn from_run(path: &Path, device: Device) -> Result<TrainedEncoder> {
    let run = RunDirectory::open(path)?;
    let config = run.config()?.pretrain;
    let weights = run.encoder_weights();
    if !weights.is_file() {
        return Err(usage(format!(
            "expected {}, which a run writes when it ends, found none; continue the run with \
             `simclr pretrain --resume {}`",
            weights.display(),
            path.display()
        )));
    }
    let transform = config.augmentation()?.evaluation();
    let embedder = Embedder::from_weights(&weights, &config.encoder, transform, &device)?;
    Ok(TrainedEncoder { embedder, checksum: checksum(&weights)? })
}

fn checksum(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let digest = Sha256::digest(bytes);
    Ok(digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
}
