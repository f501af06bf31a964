//! `--run`, or `--weights`: which encoder.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};
use simclr::augment::{EvaluationTransform, Fit, Ground, Normalization, ResizeFilter};
use simclr::burn::tensor::Device;
use simclr::data::printable;
use simclr::embed::{Embedder, EmbedderFile};
use simclr::model::{EncoderConfig, WeightFile};
use simclr::train::{PretrainConfig, RunDirectory};

use crate::data_args::index_of_run;
use crate::device_args::{Devices, EncoderDeviceArgs};
use crate::first_weight_args::normalization_in_words;

/// The name of an index in a run's folder.
const INDEX: &str = "index.safetensors";

#[derive(Args)]
pub(crate) struct EncoderArgs {
    /// Run directory of the encoder
    #[arg(
        long,
        value_name = "RUN",
        required_unless_present = "weights",
        conflicts_with = "weights"
    )]
    run: Option<PathBuf>,
    /// File of weights instead of a run: an encoder.safetensors, which says what it is, or weights of
    /// torchvision, timm or a training script (safetensors, .pth, .pt, .ckpt), with --encoder and
    /// --image-size
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Network that the weights are for: resnet50, efficientnet_b0, vit_small_p16, ...
    #[arg(long, value_name = "NAME", requires_all = ["weights", "image_size"])]
    encoder: Option<EncoderConfig>,
    /// Width and height in pixels of the images that the weights were trained on
    #[arg(long, value_name = "N", requires = "encoder")]
    image_size: Option<u32>,
    /// How pixels were normalised in the weights' training: imagenet, cifar10, centred, none or stl10
    /// [default: as the file says, else imagenet]
    #[arg(long, value_name = "NAME", requires = "encoder")]
    normalize: Option<Normalization>,
    /// Where in the file the encoder is, such as teacher.backbone, if it is there more than once
    #[arg(long, value_name = "PREFIX", requires = "encoder")]
    prefix: Option<String>,
    /// How tall and wide images become square [default: crop]; a run and its encoder.safetensors say it
    /// themselves
    #[arg(long, value_name = "KIND", requires = "encoder")]
    fit: Option<SquareFit>,
    /// What transparent images lie on: white, black or '#rrggbb' [default: white]; a run and its
    /// encoder.safetensors say it themselves
    #[arg(long, value_name = "COLOUR", requires = "encoder")]
    ground: Option<Ground>,
    #[command(flatten)]
    device: EncoderDeviceArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum SquareFit {
    /// The centred square
    Crop,
    /// The whole image, with the mean colour beside it
    Pad,
    /// The whole image, stretched
    Squash,
}

impl EncoderArgs {
    /// The trained encoder.
    pub(crate) fn load(&self) -> Result<Embedder> {
        let Devices { first: device, more } = self.device.open()?;
        if let Some(run) = &self.run {
            RunDirectory::open(run)?;
        }
        let (Some(encoder), Some(size)) = (&self.encoder, self.image_size) else {
            return Ok(Embedder::open(self.path(), &device)?.with_more_devices(&more));
        };
        let fit = match self.fit.unwrap_or(SquareFit::Crop) {
            SquareFit::Crop => Fit::Crop,
            SquareFit::Pad => Fit::Pad,
            SquareFit::Squash => Fit::Squash,
        };
        let weights = WeightFile::open(self.path())?;
        let normalization = match &self.normalize {
            Some(told) => told.clone(),
            None => EmbedderFile::normalization_of(&weights)?,
        };
        let said = normalization_in_words(&normalization, self.normalize.is_some());
        let transform = EvaluationTransform::new(size, ResizeFilter::Bilinear, normalization)?;
        let transform = transform.with_fit(fit).with_ground(self.ground.unwrap_or_default());
        let weights = match &self.prefix {
            Some(prefix) => weights.below(prefix),
            None => weights,
        };
        let (embedder, report) = Embedder::from_weights(weights, encoder, transform, &device)?;
        eprintln!("{}", printable(&format!("{}: {report}", self.path().display())));
        eprintln!("{said}");
        Ok(embedder.with_more_devices(&more))
    }

    /// Where the encoder is to run.
    pub(crate) fn device(&self) -> Result<Device> {
        Ok(self.device.open()?.first)
    }

    /// Whether `--run` or `--weights` names an encoder.
    pub(crate) fn is_named(&self) -> bool {
        self.run.is_some() || self.weights.is_some()
    }

    /// The same network before it learnt anything: with the random weights that the run's seed draws.
    pub(crate) fn load_untrained(&self) -> Result<Embedder> {
        let embedder = self.load()?;
        let seed = match &self.run {
            Some(run) => PretrainConfig::of_run(&RunDirectory::open(run)?)?.train.seed,
            None => 0,
        };
        let config = embedder.config().expect("it was built by its config");
        let untrained = config.init(seed, embedder.device())?;
        Ok(embedder.with_encoder(untrained))
    }

    /// The index file of the images in `data`, if the encoder's run learnt from them.
    pub(crate) fn data_index(&self, data: Option<&Path>) -> Option<PathBuf> {
        index_of_run(&RunDirectory::open(self.run.as_deref()?).ok()?, data)
    }

    /// A short name for the trained encoder.
    pub(crate) fn name(&self) -> String {
        self.path().display().to_string()
    }

    /// A short name for the untrained one.
    pub(crate) fn untrained_name(&self) -> String {
        format!("random weights instead of {}", self.name())
    }

    /// The file of an index: the one that was named, or else that of the run.
    pub(crate) fn index_file(&self, named: Option<&Path>) -> PathBuf {
        named.map_or_else(|| self.path().join(INDEX), Path::to_owned)
    }

    /// The run's folder, or the file of weights.
    fn path(&self) -> &Path {
        self.run.as_deref().or(self.weights.as_deref()).expect("one of them is required")
    }
}
