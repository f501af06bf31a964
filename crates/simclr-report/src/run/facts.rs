//! What was trained, and how it ended.

use simclr_data::{ImageDataset, Splits};
use simclr_model::{Encoder, ImageEncoder};
use simclr_train::{MadeWith, PretrainConfig, Summary, TrainConfig};

use crate::numbers::counted;
use crate::run::run_files::RunFiles;
use crate::run::settings;
use crate::text::Text;

/// What there is to say about a run beside its figures.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunFacts {
    /// The run's folder.
    pub(crate) run: Text,
    /// The encoder's name.
    pub(crate) encoder: Text,
    /// Whether its loss contrasted classes.
    pub(crate) with_labels: bool,
    /// One line on what it was trained on.
    pub(crate) headline: String,
    /// What was done, one line each: a name, and what it was.
    pub(crate) rows: Vec<(&'static str, Text)>,
    /// What a reader should know before the figures, such as that the run was stopped.
    pub(crate) notes: Vec<Text>,
    /// How it ended; `None` if it left no summary.
    pub(crate) summary: Option<Summary>,
    /// `config.toml`.
    pub(crate) config: Text,
}

impl RunFacts {
    pub(crate) fn new(run: &RunFiles, encoder: &ImageEncoder, data: &Splits) -> Self {
        let RunFiles { path, config, pretrain, summary, .. } = run;
        let recorded = &config.made_with.data;
        let config =
            toml::to_string(config).expect("a config holds nothing that TOML cannot write");
        let rows = rows(run, encoder).into_iter();
        Self {
            run: path.clone(),
            encoder: Text::new(pretrain.images.encoder.to_string()),
            with_labels: pretrain.train.loss.needs_labels(),
            headline: headline(recorded, data, pretrain),
            rows: rows.map(|(name, value)| (name, Text::new(value))).collect(),
            notes: notes(recorded, summary.as_ref(), data).map(Text::new).collect(),
            summary: summary.clone(),
            config: Text::new(config),
        }
    }
}

fn rows(run: &RunFiles, encoder: &ImageEncoder) -> Vec<(&'static str, String)> {
    let MadeWith { simclr, revision, device, data, weights, .. } = &run.config.made_with;
    let PretrainConfig { train, images } = &run.pretrain;
    let mut rows = vec![
        ("Encoder", settings::encoder(images, encoder)),
        ("Projection head", settings::head(images, encoder.feature_size())),
        ("Images", data.clone()),
        ("Views", settings::views(&images.augmentation, images.views)),
        ("Loss", settings::loss(&train.loss)),
        ("Batch", settings::batch(train)),
        ("Optimiser", train.optimizer.to_string()),
        ("Learning rate", settings::rate(train)),
        ("Epochs", epochs(train, run.summary.as_ref())),
        ("Seed", train.seed.to_string()),
        ("Device", device.clone()),
        ("Made with", format!("simclr {simclr}, revision {revision}")),
    ];
    if let Some(weights) = weights {
        rows.insert(1, ("First weights", weights.to_string()));
    }
    rows
}

/// The image count is known only for the run's own data.
fn headline(recorded: &str, data: &Splits, config: &PretrainConfig) -> String {
    let side = config.images.augmentation.size;
    let labels = if config.train.loss.needs_labels() { "with their" } else { "without" };
    let images = if recorded == data.description {
        counted(data.pretrain.len(), "image")
    } else {
        "Images".to_owned()
    };
    format!("{images} {labels} labels, in views of {side} × {side} pixels")
}

fn epochs(config: &TrainConfig, summary: Option<&Summary>) -> String {
    let steps = config.steps_per_epoch.map_or(String::new(), |steps| format!(", of {steps} steps"));
    match summary {
        Some(summary) if summary.epochs < summary.epochs_planned => {
            format!("{} of {}{steps}", summary.epochs, summary.epochs_planned)
        }
        Some(summary) => format!("{}{steps}", summary.epochs),
        None => format!("{} planned{steps}", config.epochs),
    }
}

fn notes(
    recorded: &str,
    summary: Option<&Summary>,
    data: &Splits,
) -> impl Iterator<Item = String> + use<> {
    let ended = match summary {
        None => Some(
            "The run left no summary.json, so it is unknown how it ended. The encoder is the one in its folder."
                .to_owned(),
        ),
        Some(Summary { epochs, epochs_planned, .. }) if epochs < epochs_planned => Some(format!(
            "The run was stopped after epoch {epochs} of {epochs_planned}, before its learning rate had come down: expect \
             more of a run that ends."
        )),
        Some(_) => None,
    };
    let skipped = summary.map_or(0, |summary| summary.skipped_images);
    let skipped = (skipped > 0).then(|| {
        format!("Training left out {} that could not be read.", counted(skipped, "image"))
    });
    let other = (recorded != data.description).then(|| {
        format!(
            "This page shows other images than the run recorded. Recorded: {recorded}. Here: {}.",
            data.description
        )
    });
    ended.into_iter().chain(skipped).chain(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_data::SampleConfig;
    use simclr_train::Recipe;

    #[test]
    fn images_of_another_set_are_noted() {
        let sample = SampleConfig { images: 10, size: 16, ..SampleConfig::default() };
        let data = Splits::sample(&sample).unwrap();
        let notes: Vec<String> = notes("my photos", None, &data).collect();
        assert_eq!(notes.len(), 2);
        let config = Recipe::Cifar10Google.config();
        let headline = |recorded| super::headline(recorded, &data, &config);
        assert_eq!(headline("my photos"), "Images without labels, in views of 32 × 32 pixels");
        assert!(headline(&data.description).starts_with("10 images without labels"));
        assert!(notes[1].contains("Recorded: my photos. Here: the built-in sample"));
    }
}
