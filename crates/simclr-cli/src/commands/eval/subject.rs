//! What is evaluated: an encoder, or a floor to compare it with, on labelled images.

use std::path::Path;

use anyhow::Result;
use clap::{Args, ValueEnum};
use simclr::data::{ImageDataset, Labelled};
use simclr::embed::{EmbedError, EmbeddedLabelled, Embedder, LabelledFeatures, raw_pixels};

use crate::data_args::DataArgs;
use crate::encoder_args::EncoderArgs;
use crate::output::print_skipped;
use crate::watched::watched;

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
    /// Features of the trained encoder
    Encoder,
    /// Features of the same network before it learnt anything
    RandomWeights,
    /// The pixels themselves
    RawPixels,
}

/// What is evaluated, opened.
pub(super) struct Subject {
    pub(super) name: String,
    /// The images in words.
    pub(super) data: String,
    pub(super) labelled: Labelled,
    pub(super) embedder: Embedder,
    of: Of,
}

impl SubjectArgs {
    pub(super) fn is_raw_pixels(&self) -> bool {
        self.of == Of::RawPixels
    }

    /// The folder of the images; `None` for the built-in sample.
    pub(super) fn data_folder(&self) -> Option<&Path> {
        self.data.folder()
    }

    pub(super) fn open(&self) -> Result<Subject> {
        let embedder = match self.of {
            Of::Encoder | Of::RawPixels => self.encoder.load()?,
            Of::RandomWeights => self.encoder.load_untrained()?,
        };
        let name = match self.of {
            Of::Encoder => self.encoder.name(),
            Of::RandomWeights => self.encoder.untrained_name(),
            Of::RawPixels => format!("raw pixels instead of {}", self.encoder.name()),
        };
        let index = self.encoder.data_index(self.data.folder());
        let (labelled, data) = self.data.labelled(embedder.transform().ground(), index)?;
        Ok(Subject { name, data, labelled, embedder, of: self.of })
    }
}

impl Subject {
    /// The features of the training set and of the test set.
    pub(super) fn embed(&self) -> Result<(LabelledFeatures, EmbeddedLabelled)> {
        let Labelled { train, test } = &self.labelled;
        let train = self.features(&watched("embedding the training set", train))?;
        let test = self.features(&watched("embedding the test set", test))?;
        print_skipped(&train.skipped);
        print_skipped(&test.skipped);
        Ok((train.labelled, test))
    }

    fn features(&self, images: &dyn ImageDataset) -> Result<EmbeddedLabelled, EmbedError> {
        match self.of {
            Of::RawPixels => raw_pixels(images, self.embedder.transform()),
            Of::Encoder | Of::RandomWeights => self.embedder.embed_labelled(images),
        }
    }
}
