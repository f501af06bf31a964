//! The plan of a run: what it would do, and what that would take.

use std::fmt;
use std::path::Path;

use serde_json::{Value, json};
use simclr::data::Splits;
use simclr::train::{GrowingViews, ImageConfig, PretrainConfig, RunDescription};

use crate::memory::Estimate;

pub(crate) struct Plan<'a> {
    pub(crate) config: &'a PretrainConfig,
    pub(crate) description: RunDescription,
    pub(crate) data: &'a Splits,
    /// What will watch the run, in words.
    pub(crate) monitor: String,
    pub(crate) out: &'a Path,
    pub(crate) device: &'a str,
    pub(crate) estimate: Estimate,
}

impl Plan<'_> {
    fn seconds(&self) -> f64 {
        let images = self.description.total_steps * self.description.batch_size;
        images as f64 / self.estimate.images_per_second
    }

    pub(crate) fn json(&self) -> Value {
        let (description, estimate) = (&self.description, &self.estimate);
        json!({
            "config": self.config,
            "data": self.data.description,
            "images": description.images,
            "train_images": self.data.labelled.as_ref().map(|labelled| labelled.train.len()),
            "test_images": self.data.labelled.as_ref().map(|labelled| labelled.test.len()),
            "monitor": self.monitor,
            "out": self.out.display().to_string(),
            "device": self.device,
            "total_steps": description.total_steps,
            "warmup_steps": description.warmup_steps,
            "peak_learning_rate": description.peak_learning_rate,
            "parameters": description.parameters.1,
            "parameters_without_weight_decay": description.excluded,
            "memory_bytes": estimate.bytes.round(),
            "images_per_second": estimate.images_per_second,
            "seconds": self.seconds(),
        })
    }
}

impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, description, data, monitor, out, device, estimate } = self;
        let (encoder, size) = (&config.images.encoder, config.images.augmentation.size);
        writeln!(f, "images         {}", data.description)?;
        match &data.labelled {
            Some(labelled) => {
                let (train, test) = (labelled.train.len(), labelled.test.len());
                let learnt = if config.train.loss.needs_labels() {
                    ", which the loss contrasts by class"
                } else {
                    ""
                };
                writeln!(f, "labels         {train} training images{learnt}, {test} test images")?;
            }
            None => writeln!(f, "labels         none, so kNN cannot watch the run")?,
        }
        writeln!(f, "encoder        {encoder} on views of {size} x {size} pixels")?;
        if config.images.views_per_image > 2 || config.images.local_views.is_some() {
            writeln!(f, "views          {}", views(&config.images))?;
        }
        if let Some(GrowingViews { first_size, passes }) = &config.images.growing_views {
            writeln!(f, "view size      grows from {first_size} pixels over {passes} passes")?;
        }
        writeln!(f, "normalisation  {}", config.images.augmentation.normalization)?;
        writeln!(f, "{description}")?;
        writeln!(f, "monitor        {monitor}")?;
        writeln!(f, "device         {device}")?;
        writeln!(f, "memory         about {} for a step, on the host", memory(estimate.bytes))?;
        let rate = estimate.images_per_second;
        writeln!(f, "time           about {} ({rate:.0} images/s)", duration(self.seconds()))?;
        write!(f, "run directory  {}", out.display())
    }
}

/// The views of an image, in words.
fn views(images: &ImageConfig) -> String {
    let of_an_image = format!("{} of each image", images.views_per_image);
    match images.local_augmentation() {
        Ok(Some((local, count))) => {
            let size = local.config().size;
            format!("{of_an_image}, and {count} of {size} x {size} pixels")
        }
        _ => of_an_image,
    }
}

/// A number of seconds in a fitting unit.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s if s < 48.0 * 3600.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86400.0),
    }
}

/// A number of bytes in a fitting unit.
fn memory(bytes: f64) -> String {
    let mebibytes = bytes / f64::from(1 << 20);
    if mebibytes < 1024.0 {
        format!("{mebibytes:.0} MiB")
    } else {
        format!("{:.1} GiB", mebibytes / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_for_people() {
        let written = [3e5, 7e7, 6e9].map(memory);
        assert_eq!(written, ["0 MiB", "67 MiB", "5.6 GiB"]);
    }

    #[test]
    fn durations_are_for_people() {
        let written = [12.4, 89.0, 600.0, 7200.0, 400_000.0].map(duration);
        assert_eq!(written, ["12 s", "89 s", "10 min", "2.0 h", "4.6 days"]);
    }
}
