//! What was trained, and how it ended.

use std::fmt::Write;

use simclr_augment::AugmentationConfig;
use simclr_data::{ImageDataset, Splits};
use simclr_model::{Encoder, ImageEncoder, count_parameters};
use simclr_train::{LossConfig, PretrainConfig, RunConfig, Summary, ViewPath};

use crate::text::Text;
use crate::ticks::grouped;

/// What there is to say about a run beside its figures.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RunFacts {
    /// The run's folder.
    pub(crate) run: Text,
    /// The encoder's name.
    pub(crate) encoder: Text,
    /// One line on what it was trained on.
    pub(crate) headline: String,
    /// What was done, one line each: a name, and what it was.
    pub(crate) rows: Vec<(&'static str, Text)>,
    /// What a reader should know before the figures: a run that was stopped, images of another set.
    pub(crate) notes: Vec<Text>,
    /// How it ended; `None` if nothing says so.
    pub(crate) summary: Option<Summary>,
    /// `config.toml`.
    pub(crate) config: Text,
}

impl RunFacts {
    pub(crate) fn new(
        run: Text,
        config: &RunConfig,
        summary: Option<Summary>,
        encoder: &ImageEncoder,
        data: &Splits,
    ) -> Self {
        let RunConfig { made_with, pretrain } = config;
        let mut rows = vec![
            ("Encoder", encoder_in_words(pretrain, encoder)),
            ("Projection head", head_in_words(pretrain, encoder.feature_size())),
            ("Images", made_with.data.clone()),
            ("Views", views_in_words(&pretrain.augmentation, pretrain.views)),
            ("Loss", loss_in_words(&pretrain.loss)),
            ("Batch", batch_in_words(pretrain)),
            ("Optimiser", pretrain.optimizer.to_string()),
            ("Learning rate", rate_in_words(pretrain)),
            ("Epochs", epochs_in_words(pretrain, summary.as_ref())),
            ("Seed", pretrain.seed.to_string()),
            ("Device", made_with.device.clone()),
            ("Made with", format!("simclr {}, revision {}", made_with.simclr, made_with.revision)),
        ];
        if let Some(weights) = &made_with.weights {
            rows.insert(1, ("First weights", weights.display().to_string()));
        }
        let config =
            toml::to_string(config).expect("a config holds nothing that TOML cannot write");
        Self {
            run,
            encoder: Text::new(pretrain.encoder.to_string()),
            headline: headline(&made_with.data, data, pretrain),
            rows: rows.into_iter().map(|(name, value)| (name, Text::new(value))).collect(),
            notes: notes(&made_with.data, summary.as_ref(), data),
            summary,
            config: Text::new(config),
        }
    }
}

/// How many images they were is known of the run's own alone.
fn headline(recorded: &str, data: &Splits, config: &PretrainConfig) -> String {
    let side = config.augmentation.size;
    let images = if recorded == data.description {
        grouped(&data.pretrain.len().to_string()) + " images"
    } else {
        "Images".to_owned()
    };
    format!("{images} without labels, in views of {side} × {side} pixels")
}

fn encoder_in_words(config: &PretrainConfig, encoder: &ImageEncoder) -> String {
    let parameters = grouped(&count_parameters(encoder).to_string());
    let features = encoder.feature_size();
    format!("{}: {parameters} parameters, an image becomes {features} numbers", config.encoder)
}

fn head_in_words(config: &PretrainConfig, features: usize) -> String {
    let head = config.projection;
    let hidden = head.hidden_size.unwrap_or(features);
    let (layers, output) = (head.layers, head.output_size);
    let norm = if head.output_norm { ", normalised at its end" } else { "" };
    let through = if layers > 1 { format!(" through {hidden}") } else { String::new() };
    let s = if layers == 1 { "" } else { "s" };
    format!("{layers} layer{s}: {features}{through} to {output}{norm}; not used after training")
}

fn views_in_words(augmentation: &AugmentationConfig, path: ViewPath) -> String {
    let AugmentationConfig { size, crop, color_jitter, .. } = augmentation;
    if augmentation.whole_images {
        return format!("{size} × {size} pixels, the whole image each time (debug)");
    }
    let percent = |share: f64| format!("{} %", (1000.0 * share).round() / 10.0);
    let [least, most] = crop.area.map(|share| (1000.0 * share).round() / 10.0);
    let mut words = format!("{size} × {size} pixels; crops of {least} to {most} % of the image");
    let steps = [
        ("flipped", augmentation.flip_probability),
        ("turned upside down", augmentation.vertical_flip_probability),
        ("rotated", augmentation.rotation.as_ref().map_or(0.0, |step| step.probability)),
        ("colours changed", color_jitter.probability),
        ("grey", augmentation.grayscale_probability),
        ("blurred", augmentation.blur.as_ref().map_or(0.0, |step| step.probability)),
        ("solarised", augmentation.solarize.as_ref().map_or(0.0, |step| step.probability)),
        (
            "painted over in part",
            augmentation.erasing.as_ref().map_or(0.0, |step| step.probability),
        ),
    ];
    for (name, probability) in steps.into_iter().filter(|(_, probability)| *probability > 0.0) {
        let _ = write!(words, "; {name} {}", percent(probability));
    }
    if path == ViewPath::Device {
        words.push_str("; made on the device");
    }
    words
}

fn loss_in_words(loss: &LossConfig) -> String {
    match loss {
        LossConfig::NtXent { temperature } => format!("NT-Xent, temperature {}", temperature.get()),
        LossConfig::DecoupledNtXent { temperature } => {
            format!("decoupled NT-Xent, temperature {}", temperature.get())
        }
        LossConfig::Custom { name } => format!("the caller's own: {name}"),
        other => format!("{other:?}"),
    }
}

fn batch_in_words(config: &PretrainConfig) -> String {
    let batch = config.batch_size;
    let negatives = (2 * batch).saturating_sub(2);
    let chunks =
        config.chunk_size.map_or(String::new(), |chunk| format!(", encoded {chunk} at a time"));
    format!("{batch} images, so that a view is told from {negatives} others{chunks}")
}

fn rate_in_words(config: &PretrainConfig) -> String {
    let peak = config.learning_rate.in_words(config.batch_size);
    let (warmup, s) = (config.warmup_epochs, if config.warmup_epochs == 1 { "" } else { "s" });
    format!("{peak} at its peak, after {warmup} epoch{s} of warm-up; then a cosine to 0")
}

fn epochs_in_words(config: &PretrainConfig, summary: Option<&Summary>) -> String {
    let steps = config.steps_per_epoch.map_or(String::new(), |steps| format!(", of {steps} steps"));
    match summary {
        Some(summary) if summary.epochs < summary.epochs_planned => {
            format!("{} of {}{steps}", summary.epochs, summary.epochs_planned)
        }
        Some(summary) => format!("{}{steps}", summary.epochs),
        None => format!("{} planned{steps}", config.epochs),
    }
}

fn notes(recorded: &str, summary: Option<&Summary>, data: &Splits) -> Vec<Text> {
    let mut notes = Vec::new();
    match summary {
        None => notes.push(
            "The run left no summary.json, so that it is unknown how it ended. The encoder is the one in its folder."
                .to_owned(),
        ),
        Some(Summary { epochs, epochs_planned, .. }) if epochs < epochs_planned => {
            notes.push(format!(
                "The run was stopped after epoch {epochs} of {epochs_planned}: its learning rate had not come down yet, \
                 so expect more of a run that ends."
            ));
        }
        Some(_) => {}
    }
    if let Some(Summary { skipped_images: skipped @ 1.., .. }) = summary {
        notes.push(format!("{skipped} images could not be read in training, and were left out."));
    }
    if recorded != data.description {
        notes.push(format!(
            "The run recorded other images than those of this page. Recorded: {recorded}. Here: {}.",
            data.description
        ));
    }
    notes.into_iter().map(Text::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_data::SampleConfig;
    use simclr_train::Recipe;

    #[test]
    fn a_recipe_is_told_in_words() {
        let config = Recipe::Cifar10Google.config();
        assert_eq!(
            views_in_words(&config.augmentation, config.views),
            "32 × 32 pixels; crops of 8 to 100 % of the image; flipped 50 %; colours changed 80 %; grey 20 %"
        );
        assert_eq!(batch_in_words(&config), "512 images, so that a view is told from 1022 others");
        assert_eq!(
            head_in_words(&config, 512),
            "2 layers: 512 through 512 to 128; not used after training"
        );
        assert_eq!(
            rate_in_words(&config),
            "1 * 512 / 256 = 2 at its peak, after 10 epochs of warm-up; then a cosine to 0"
        );
    }

    #[test]
    fn images_of_another_set_are_noted() {
        let sample = SampleConfig { images: 10, size: 16, ..SampleConfig::default() };
        let data = Splits::sample(&sample).unwrap();
        let notes = notes("my photos", None, &data);
        assert_eq!(notes.len(), 2);
        let config = Recipe::Cifar10Google.config();
        let headline = |recorded| super::headline(recorded, &data, &config);
        assert_eq!(headline("my photos"), "Images without labels, in views of 32 × 32 pixels");
        assert!(headline(&data.description).starts_with("10 images without labels"));
        assert!(notes[1].to_string().contains("Recorded: my photos. Here: the built-in sample"));
    }
}
