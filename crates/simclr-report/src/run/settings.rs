//! The settings of a run in words.

use std::fmt::Write;

use simclr_augment::{AugmentationConfig, PaddedCropConfig, PaddingFill};
use simclr_model::{Encoder, ImageEncoder, count_parameters};
use simclr_train::{ImageConfig, LossConfig, TrainConfig, ViewPath};

use crate::numbers::grouped;

pub(crate) fn encoder(config: &ImageConfig, encoder: &ImageEncoder) -> String {
    let parameters = grouped(&count_parameters(encoder).to_string());
    let features = encoder.feature_size();
    format!("{}: {parameters} parameters; an image becomes {features} numbers", config.encoder)
}

pub(crate) fn head(config: &ImageConfig, features: usize) -> String {
    let head = config.projection;
    let hidden = head.hidden_size.unwrap_or(features);
    let (layers, output) = (head.layers, head.output_size);
    let norm = match (layers == 1 || head.hidden_norm, head.output_norm) {
        (true, true) => ", normalised at its end",
        (true, false) => "",
        (false, true) => ", normalised at its end alone",
        (false, false) => ", without normalisation",
    };
    let through = if layers > 1 { format!(" through {hidden}") } else { String::new() };
    let s = if layers == 1 { "" } else { "s" };
    format!("{layers} layer{s}: {features}{through} to {output}{norm}; not used after training")
}

pub(crate) fn views(augmentation: &AugmentationConfig, path: ViewPath) -> String {
    let size = augmentation.size;
    if augmentation.whole_images {
        return format!("{size} × {size} pixels, the whole image each time");
    }
    let crop = crop(augmentation);
    let mut words = format!("{size} × {size} pixels; {crop}");
    for (name, probability) in changes(augmentation).into_iter().filter(|change| change.1 > 0.0) {
        let _ = write!(words, "; {name} {} %", percent(probability));
    }
    if path == ViewPath::Device {
        words.push_str("; made on the device");
    }
    words
}

fn percent(share: f64) -> f64 {
    (1000.0 * share).round() / 10.0
}

fn crop(augmentation: &AugmentationConfig) -> String {
    let AugmentationConfig { crop, padded_crop, .. } = augmentation;
    if let Some(PaddedCropConfig { padding, fill }) = padded_crop {
        let beside = match fill {
            PaddingFill::Black => "black",
            PaddingFill::Reflect => "the mirrored image",
        };
        return format!("the image, shifted by up to {padding} pixels with {beside} beside it");
    }
    let [least, most] = crop.area.map(percent);
    format!("crops of {least} to {most} % of the image")
}

/// What may happen to a crop, each with its probability.
fn changes(augmentation: &AugmentationConfig) -> [(&'static str, f64); 8] {
    let AugmentationConfig { rotation, blur, solarize, erasing, .. } = augmentation;
    [
        ("flipped", augmentation.flip_probability),
        ("turned upside down", augmentation.vertical_flip_probability),
        ("rotated", rotation.as_ref().map_or(0.0, |step| step.probability)),
        ("colours changed", augmentation.color_jitter.probability),
        ("grey", augmentation.grayscale_probability),
        ("blurred", blur.as_ref().map_or(0.0, |step| step.probability)),
        ("solarised", solarize.as_ref().map_or(0.0, |step| step.probability)),
        ("partly erased", erasing.as_ref().map_or(0.0, |step| step.probability)),
    ]
}

pub(crate) fn loss(loss: &LossConfig) -> String {
    match loss {
        LossConfig::NtXent { temperature } => format!("NT-Xent, temperature {}", temperature.get()),
        LossConfig::DecoupledNtXent { temperature } => {
            format!("decoupled NT-Xent, temperature {}", temperature.get())
        }
        LossConfig::SupCon { temperature } => {
            format!(
                "SupCon (all views of a class are positives), temperature {}",
                temperature.get()
            )
        }
        LossConfig::Custom { name } => format!("the caller's own: {name}"),
        other => format!("{other:?}"),
    }
}

pub(crate) fn batch(config: &TrainConfig) -> String {
    let batch = config.batch_size;
    let others = (2 * batch).saturating_sub(2);
    let negatives = if config.loss.needs_labels() {
        "the views of other classes are negatives".to_owned()
    } else {
        format!("{others} negatives for each view")
    };
    let chunks =
        config.chunk_size.map_or(String::new(), |chunk| format!(", encoded {chunk} at a time"));
    format!("{batch} images: {negatives}{chunks}")
}

pub(crate) fn rate(config: &TrainConfig) -> String {
    let peak = config.learning_rate.in_words(config.batch_size);
    let (warmup, s) = (config.warmup_epochs, if config.warmup_epochs == 1 { "" } else { "s" });
    format!("{peak} at its peak, after {warmup} epoch{s} of warm-up; then a cosine to 0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_train::{PretrainConfig, Recipe};

    #[test]
    fn a_recipe_is_told_in_words() {
        let PretrainConfig { train, images } = Recipe::Cifar10Google.config();
        assert_eq!(
            views(&images.augmentation, images.views),
            "32 × 32 pixels; crops of 8 to 100 % of the image; flipped 50 %; colours changed 80 %; grey 20 %"
        );
        let mut padded = images.augmentation.clone();
        padded.padded_crop = Some(PaddedCropConfig { padding: 4, fill: PaddingFill::Black });
        let words = "32 × 32 pixels; the image, shifted by up to 4 pixels with black beside it; ";
        assert!(views(&padded, images.views).starts_with(words));
        assert_eq!(batch(&train), "512 images: 1022 negatives for each view");
        assert_eq!(head(&images, 512), "2 layers: 512 through 512 to 128; not used after training");
        assert_eq!(
            rate(&train),
            "1 * 512 / 256 = 2 at its peak, after 10 epochs of warm-up; then a cosine to 0"
        );
    }
}
