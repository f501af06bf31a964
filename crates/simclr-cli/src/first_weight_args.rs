//! `--weights` of a run that is about to begin.

use anyhow::Result;
use clap::Args;
use simclr::augment::Normalization;
use simclr::burn::tensor::Device;
use simclr::data::printable;
use simclr::model::WeightFile;
use simclr::train::{FirstWeights, Pretraining};

use crate::resumed_args::ResumedRun;
use crate::run_args::RunSettings;
use crate::weight_source::{
    WeightSource, check_encoder, encoder_of, found_again, known_at, normalization_of,
};

#[derive(Args)]
pub(crate) struct FirstWeightArgs {
    /// Start from these weights of simclr, torchvision, timm or efficientnet_pytorch (safetensors, .pth, .pt) instead of
    /// random ones, with pixels normalised as in their training: a file, or published ones,
    /// hf:OWNER/REPO[@REVISION][/FILE] or torchvision:NAME[@WEIGHTS], which are fetched into the cache
    #[arg(long, value_name = "WEIGHTS", value_parser = WeightSource::parser())]
    weights: Option<WeightSource>,
    /// Fetch nothing: published weights are taken from the cache, or not at all
    #[arg(long)]
    offline: bool,
    /// Where in that file the encoder is, such as teacher.backbone, if it is there more than once
    #[arg(long, value_name = "PREFIX", requires = "weights")]
    prefix: Option<String>,
}

impl FirstWeightArgs {
    /// The weights that the flags name.
    fn named(&self) -> Result<Option<FirstWeights>> {
        let Some(weights) = &self.weights else { return Ok(None) };
        Ok(Some(weights.find(self.offline)?.first(self.prefix.as_deref())))
    }

    /// The weights that a run which goes on begins with, if it has not begun and its file of them is gone. Those that the
    /// flags name must be the run's.
    pub(crate) fn of_resumed_run(&self, run: &ResumedRun) -> Result<Option<FirstWeights>> {
        if let Some(named) = self.named()? {
            run.check_weights(&named)?;
            return Ok(Some(named));
        }
        run.missing_weights()?.map(|weights| found_again(weights, self.offline)).transpose()
    }

    /// The weights that a new run begins with: those of the flags, or of the run whose config file it repeats. The network is
    /// then the one that they are known to be of, and the views are normalised as in their training, unless `settings` ask for
    /// something else.
    pub(crate) fn of_new_run(&self, settings: &mut RunSettings) -> Result<Option<FirstWeights>> {
        let weights = match (self.named()?, &settings.file.weights) {
            (Some(named), _) => Some(named),
            (None, Some(recorded)) => Some(found_again(recorded, self.offline)?),
            (None, None) => None,
        };
        let told = settings.asked_for.normalization;
        if let Some(weights) = &weights {
            take_known_network(weights, settings)?;
            let normalization = &mut settings.config.images.augmentation.normalization;
            if !told {
                let address = weights.published.as_ref().map(|published| &published.address[..]);
                *normalization = normalization_of(&WeightFile::open(&weights.path)?, address)?;
            }
            eprintln!("{}", normalization_in_words(normalization, told));
        }
        Ok(weights)
    }
}

/// Makes the encoder of `settings` the network that the weights are known to be of, for images of the size that is asked for. A
/// vision transformer brings the size that its positions are for.
fn take_known_network(weights: &FirstWeights, settings: &mut RunSettings) -> Result<()> {
    let address = weights.published.as_ref().map(|published| &published.address[..]);
    let Some(known) = address.and_then(known_at) else { return Ok(()) };
    let RunSettings { config, asked_for, .. } = settings;
    if asked_for.encoder {
        return check_encoder(&config.images.encoder, known);
    }
    let encoder = encoder_of(known, asked_for.image_size)?;
    let size = config.images.augmentation.size;
    if asked_for.image_size.is_none() && encoder.check_image_size(size as usize).is_err() {
        *config = config.clone().with_image_size(known.image_size)?;
    }
    eprintln!("encoder: {encoder} (the weights' own)");
    config.images.encoder = encoder;
    Ok(())
}

/// `pretraining` with these weights; says what it takes from their file.
pub(crate) fn begin_with(
    weights: &FirstWeights,
    pretraining: Pretraining,
    device: &Device,
) -> Result<Pretraining> {
    // What the settings came to holds.
    let normalization = pretraining.config().images.augmentation.normalization;
    let pretraining =
        pretraining.with_first_weights(weights.clone())?.with_normalization(normalization)?;
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
