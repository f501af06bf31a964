//! `--run`, or `--weights`: which encoder.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::Value;
use simclr::augment::{EvaluationTransform, Fit, Ground, Normalization, ResizeFilter};
use simclr::burn::tensor::Device;
use simclr::data::printable;
use simclr::embed::Embedder;
use simclr::model::{EncoderConfig, WeightFile};
use simclr::train::{PretrainConfig, RunDirectory};

use crate::data_args::index_of_run;
use crate::device_args::{Devices, EncoderDeviceArgs};
use crate::failure::usage;
use crate::first_weight_args::normalization_in_words;
use crate::weight_source::{
    FoundWeights, WeightSource, check_encoder, encoder_of, normalization_of,
};

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
    /// Weights instead of a run: an encoder.safetensors, which says what it is, or weights of torchvision,
    /// timm or a training script (safetensors, .pth, .pt, .ckpt), with --encoder and --image-size; or
    /// published ones, hf:OWNER/REPO[@REVISION][/FILE] or torchvision:NAME[@WEIGHTS], which are fetched
    /// into the cache
    #[arg(long, value_name = "WEIGHTS", value_parser = WeightSource::parser())]
    weights: Option<WeightSource>,
    /// Fetch nothing: published weights are taken from the cache, or not at all
    #[arg(long)]
    offline: bool,
    /// Network that the weights are for: resnet50, efficientnet_b0, vit_small_p16, ... [default: as the
    /// file or `simclr weights list` says]
    #[arg(long, value_name = "NAME", requires = "weights", conflicts_with = "run")]
    encoder: Option<EncoderConfig>,
    /// Width and height in pixels of the images that the weights were trained on [default: as the file or
    /// `simclr weights list` says]
    #[arg(long, value_name = "N", requires = "weights", conflicts_with = "run")]
    image_size: Option<u32>,
    /// How pixels were normalised in the weights' training: imagenet, cifar10, centred, none or stl10
    /// [default: as the file or `simclr weights list` says, else imagenet]
    #[arg(long, value_name = "NAME", requires = "weights", conflicts_with = "run")]
    normalize: Option<Normalization>,
    /// Where in the file the encoder is, such as teacher.backbone, if it is there more than once
    #[arg(long, value_name = "PREFIX", requires = "weights", conflicts_with = "run")]
    prefix: Option<String>,
    /// How tall and wide images become square [default: crop]; a run and its encoder.safetensors say it
    /// themselves
    #[arg(long, value_name = "KIND", requires = "weights", conflicts_with = "run")]
    fit: Option<SquareFit>,
    /// What transparent images lie on: white, black or '#rrggbb' [default: white]; a run and its
    /// encoder.safetensors say it themselves
    #[arg(long, value_name = "COLOUR", requires = "weights", conflicts_with = "run")]
    ground: Option<Ground>,
    #[command(flatten)]
    device: EncoderDeviceArgs,
    /// Where the weights were found, once they were looked for.
    #[arg(skip)]
    found: OnceCell<FoundWeights>,
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
        let Some(found) = self.found()? else {
            RunDirectory::open(self.path())?;
            return Ok(Embedder::open(self.path(), &device)?.with_more_devices(&more));
        };
        let Some((encoder, size)) = self.described(found)? else {
            return Ok(Embedder::open(&found.path, &device)?.with_more_devices(&more));
        };
        let fit = match self.fit.unwrap_or(SquareFit::Crop) {
            SquareFit::Crop => Fit::Crop,
            SquareFit::Pad => Fit::Pad,
            SquareFit::Squash => Fit::Squash,
        };
        let weights = WeightFile::open(&found.path)?;
        let normalization = match &self.normalize {
            Some(told) => told.clone(),
            None => normalization_of(&weights, Some(&found.name()))?,
        };
        let said = normalization_in_words(&normalization, self.normalize.is_some());
        let transform = EvaluationTransform::new(size, ResizeFilter::Bilinear, normalization)?;
        let transform = transform.with_fit(fit).with_ground(self.ground.unwrap_or_default());
        let weights = match &self.prefix {
            Some(prefix) => weights.below(prefix),
            None => weights,
        };
        let (embedder, report) = Embedder::from_weights(weights, &encoder, transform, &device)?;
        eprintln!("{}", printable(&format!("{}: {report}", found.name())));
        eprintln!("{said}");
        Ok(embedder.with_more_devices(&more))
    }

    /// The weights that are named, in a file of this machine; `None` for a run.
    fn found(&self) -> Result<Option<&FoundWeights>> {
        let Some(weights) = &self.weights else { return Ok(None) };
        if self.found.get().is_none() {
            // There is no other thread that could have set it meanwhile.
            let _ = self.found.set(weights.find(self.offline)?);
        }
        Ok(self.found.get())
    }

    /// The network that the weights are for and the size of its images, as the flags or the table of known weights say;
    /// `None` if the file says it.
    fn described(&self, found: &FoundWeights) -> Result<Option<(EncoderConfig, u32)>> {
        let known = found.known();
        let encoder = match (&self.encoder, known) {
            (Some(encoder), Some(known)) => {
                check_encoder(encoder, known)?;
                Some(encoder.clone())
            }
            (Some(encoder), None) => Some(encoder.clone()),
            (None, Some(known)) => Some(encoder_of(known, self.image_size)?),
            (None, None) => None,
        };
        match (encoder, self.image_size.or(known.map(|known| known.image_size))) {
            (Some(encoder), Some(size)) => Ok(Some((encoder, size))),
            (None, None) if !self.has_preparation() => Ok(None),
            _ => Err(usage(format!(
                "expected --encoder NAME and --image-size N with the other flags on {}, found one of them missing",
                found.name()
            ))),
        }
    }

    /// Whether flags say what a file says that needs no flags.
    fn has_preparation(&self) -> bool {
        let Self { normalize, prefix, fit, ground, .. } = self;
        normalize.is_some() || prefix.is_some() || fit.is_some() || ground.is_some()
    }

    /// For machines: where the weights came from; `None` for a run's.
    pub(crate) fn weights_json(&self) -> Option<Value> {
        self.found.get().map(FoundWeights::json)
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
        match (&self.weights, self.found.get()) {
            (_, Some(found)) => found.name(),
            (Some(weights), None) => weights.name(),
            (None, None) => self.path().display().to_string(),
        }
    }

    /// A short name for the untrained one.
    pub(crate) fn untrained_name(&self) -> String {
        format!("random weights instead of {}", self.name())
    }

    /// The file of an index: the one that was named, or else that of the run.
    pub(crate) fn index_file(&self, named: Option<&Path>) -> PathBuf {
        named.map_or_else(|| self.path().join(INDEX), Path::to_owned)
    }

    /// The run's folder; nothing where weights are named.
    fn path(&self) -> &Path {
        self.run.as_deref().unwrap_or(Path::new(""))
    }
}
