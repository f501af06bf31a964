//! What is evaluated: an encoder, or a floor to compare it with, on labelled images.

use std::path::Path;

use anyhow::Result;
use burn::tensor::Device;
use clap::{Args, ValueEnum};
use simclr::data::{ImageDataset, Labelled};
use simclr::embed::{EmbeddedLabelled, LabelledFeatures, raw_pixels};

use crate::data_args::DataArgs;
use crate::encoder_args::{EncoderArgs, TrainedEncoder};
use crate::output::print_skipped;
use crate::watched::Watched;

#[derive(Args)]
pub(super) struct SubjectArgs {
    #[command(flatten)]
    encoder: EncoderArgs,
    #[command(flatten)]
    data: DataArgs,
    /// What to evaluate: the encoder, or a floor that it should beat
    #[arg(long, value_name = "WHAT", default_value = "encoder")]
    of: Of,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Of {
    /// The trained encoder's features
    Encoder,
    /// The same network's before it learnt anything
    RandomWeights,
    /// The pixels themselves
    RawPixels,
}

/// Features of labelled images, and where they come from.
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) data: String,
    pub(super) labelled: Labelled,
    pub(super) train: LabelledFeatures,
    pub(super) test: EmbeddedLabelled,
    pub(super) device: Device,
    /// None for raw pixels.
    pub(super) trained: Option<TrainedEncoder>,
}

impl SubjectArgs {
    pub(super) fn is_raw_pixels(&self) -> bool {
        self.of == Of::RawPixels
    }

    /// The folder of the images; None for the built-in sample.
    pub(super) fn data_folder(&self) -> Option<&Path> {
        self.data.data.as_deref()
    }

    pub(super) fn load(&self) -> Result<Subject> {
        let trained = match self.of {
            Of::RandomWeights => self.encoder.load_untrained()?,
            Of::Encoder | Of::RawPixels => self.encoder.load()?,
        };
        let (labelled, data) = self.data.labelled()?;
        let features = |images: &dyn ImageDataset| -> Result<EmbeddedLabelled> {
            Ok(match self.of {
                Of::RawPixels => raw_pixels(images, trained.embedder.transform())?,
                _ => trained.embedder.embed_labelled(images)?,
            })
        };
        let train = features(&Watched::new("embedding the training set", &labelled.train))?;
        let test = features(&Watched::new("embedding the test set", &labelled.test))?;
        print_skipped(&train.skipped);
        print_skipped(&test.skipped);
        let (name, device) = (self.encoder.name(), trained.embedder.device().clone());
        let (name, trained) = match self.of {
            Of::Encoder => (name, Some(trained)),
            Of::RandomWeights => (format!("random weights instead of {name}"), Some(trained)),
            Of::RawPixels => (format!("raw pixels instead of {name}"), None),
        };
        Ok(Subject { name, data, labelled, train: train.labelled, test, device, trained })
    }
}
