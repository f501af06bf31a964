//! `--weights` of a run that is about to begin.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use simclr::augment::Normalization;
use simclr::burn::tensor::Device;
use simclr::data::printable;
use simclr::train::{FirstWeights, Pretraining};

use crate::run_args::RunSettings;

#[derive(Args)]
pub(crate) struct FirstWeightArgs {
    /// Start from these weights of simclr, torchvision, timm or efficientnet_pytorch (safetensors, .pth, .pt) instead of
    /// random ones, with pixels normalised as in their training
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Where in that file the encoder is, such as teacher.backbone, if it is there more than once
    #[arg(long, value_name = "PREFIX", requires = "weights")]
    prefix: Option<String>,
}

impl FirstWeightArgs {
    /// The weights that the flags name.
    pub(crate) fn named(&self) -> Option<FirstWeights> {
        Some(FirstWeights::new(self.weights.as_ref()?, self.prefix.as_deref()))
    }

    /// The weights that a new run begins with: those of the flags, or of the run whose config file it repeats. The views
    /// are then normalised as in their training, unless `settings` ask for something else.
    pub(crate) fn of_new_run(&self, settings: &mut RunSettings) -> Result<Option<FirstWeights>> {
        let weights = self.named().or_else(|| settings.file.weights.clone());
        let told = settings.asks_for_normalization;
        if let Some(weights) = &weights {
            let normalization = &mut settings.config.images.augmentation.normalization;
            if !told {
                *normalization = weights.normalization()?;
            }
            eprintln!("{}", normalization_in_words(normalization, told));
        }
        Ok(weights)
    }
}

/// `pretraining` with these weights; says what it takes from their file.
pub(crate) fn begin_with(
    weights: &FirstWeights,
    pretraining: Pretraining,
    device: &Device,
) -> Result<Pretraining> {
    // What the settings came to holds.
    let normalization = pretraining.config().images.augmentation.normalization;
    let pretraining = pretraining
        .with_weights(&weights.path, weights.prefix.as_deref())?
        .with_normalization(normalization)?;
    if let Some(report) = pretraining.read_first_weights(device)? {
        eprintln!("{}", printable(&format!("{weights}: {report}")));
    }
    Ok(pretraining)
}

/// How pixels are normalised for weights from a file: as in their training, or as the user told.
pub(crate) fn normalization_in_words(normalization: &Normalization, told: bool) -> String {
    let why = if told { "as asked for" } else { "the weights' own; --normalize takes another" };
    format!("normalisation: {normalization} ({why})")
}
