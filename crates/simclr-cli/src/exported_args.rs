//! Which encoder `simclr export` writes: one that is named, that of a classifier, or one with its classifier.

use std::path::PathBuf;

use anyhow::Result;
use clap::error::Error;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches, value_parser};
use serde_json::Value;
use simclr::embed::Embedder;
use simclr::eval::Classifier;

use crate::encoder_args::EncoderArgs;
use crate::failure::usage;

const CLASSIFIER: &str = "classifier";

/// `--run` or `--weights`, `--classifier`, or both.
pub(crate) struct ExportedArgs {
    encoder: EncoderArgs,
    classifier: Option<PathBuf>,
}

/// What is exported.
pub(crate) enum Exported {
    Encoder(Embedder),
    Classifier(Classifier),
}

impl Exported {
    pub(crate) fn embedder(&self) -> &Embedder {
        match self {
            Self::Encoder(embedder) => embedder,
            Self::Classifier(classifier) => classifier.embedder(),
        }
    }
}

impl ExportedArgs {
    /// Whether a classifier is named.
    pub(crate) fn has_classifier(&self) -> bool {
        self.classifier.is_some()
    }

    /// For machines: where named weights came from.
    pub(crate) fn weights_json(&self) -> Option<Value> {
        self.encoder.weights_json()
    }

    pub(crate) fn load(&self) -> Result<Exported> {
        let Some(path) = &self.classifier else {
            return Ok(Exported::Encoder(self.encoder.load()?));
        };
        let classifier = Classifier::open(path, &self.encoder.device()?)?;
        if self.encoder.is_named() {
            let named = self.encoder.load()?;
            if named.preparation() != classifier.embedder().preparation() {
                let (path, name) = (path.display(), self.encoder.name());
                return Err(usage(format!(
                    "expected {path} to be a classifier on the encoder of {name}, found one with other weights or another \
                     transform (leave out --run and --weights to export its own)"
                )));
            }
        }
        Ok(Exported::Classifier(classifier))
    }
}

// By hand, because `--run` is required here only where there is no classifier.
impl Args for ExportedArgs {
    fn augment_args(command: Command) -> Command {
        let classifier = Arg::new(CLASSIFIER)
            .long(CLASSIFIER)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help(
                "With --to onnx: a classifier that `simclr eval linear --save` or `simclr eval finetune --save` wrote, whose \
                 probabilities become an output; it brings its own encoder",
            );
        EncoderArgs::augment_args(command)
            .arg(classifier)
            .mut_arg("run", |run| run.required_unless_present_any(["weights", CLASSIFIER]))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ExportedArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let encoder = EncoderArgs::from_arg_matches(matches)?;
        Ok(Self { encoder, classifier: matches.get_one(CLASSIFIER).cloned() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
