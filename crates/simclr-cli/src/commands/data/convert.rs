//! `simclr data convert`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat};
use rayon::prelude::*;
use serde_json::json;
use simclr::data::{ImageDataset, Splits};

use crate::data_args::warned;
use crate::failure::usage;
use crate::image_file::write_image;
use crate::output::{Output, print_reasons, with_causes};
use crate::watched::Watched;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder of photos, or of STL-10's or CIFAR-10's binary files
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// New folder; gets train/CLASS, test/CLASS and unlabeled, as far as there are such images
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Shrink images to a short side of N pixels, unless it is shorter already: large photos are then
    /// read many times faster
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16384))]
    short_side: Option<u32>,
    /// Lossless PNG, or smaller JPEG
    #[arg(long, value_name = "FORMAT", default_value = "png")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Png,
    Jpeg,
}

/// What to write.
struct Set<'a> {
    folder: &'static str,
    images: &'a Arc<dyn ImageDataset>,
    /// Whether its labels, if it has any, are left out.
    unlabelled: bool,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        if self.out.exists() {
            let out = self.out.display();
            return Err(usage(format!("expected a new folder for --out, found {out}")));
        }
        let data = warned(Splits::open(&self.dir)?);
        output.line(&data.description);
        // The folder gets its name when it is complete.
        let mut partial = self.out.clone().into_os_string();
        partial.push(".part");
        let partial = PathBuf::from(partial);
        if partial.exists() {
            let partial = partial.display();
            return Err(usage(format!(
                "expected no folder {partial}, which an earlier conversion may have left; remove it"
            )));
        }
        let outcome = self.write_all(&data, &partial);
        if outcome.is_err() {
            // What is left is useless; the first error counts, not whether this works too.
            let _ = fs::remove_dir_all(&partial);
        }
        let (written, skipped) = outcome?;
        print_reasons(&skipped);
        fs::rename(&partial, &self.out)
            .with_context(|| format!("cannot write {}", self.out.display()))?;
        output.line(format!("{written} images in {}", self.out.display()));
        output.result(&json!({
            "images": written,
            "skipped_images": skipped.len(),
            "out": self.out.display().to_string(),
        }));
        Ok(())
    }

    /// Writes all sets. Returns the number of images, and why others could not be read.
    fn write_all(&self, data: &Splits, out: &Path) -> Result<(usize, Vec<String>)> {
        let (mut written, mut skipped) = (0, Vec::new());
        for set in sets(data) {
            let outcome = self.write(&set, out)?;
            written += outcome.0;
            skipped.extend(outcome.1);
        }
        Ok((written, skipped))
    }

    /// Writes a set, see [`write_all`](Self::write_all).
    fn write(&self, set: &Set, out: &Path) -> Result<(usize, Vec<String>)> {
        let watched = Watched::new(format!("converting {}", set.folder), set.images);
        let outcomes: Vec<Option<String>> = (0..watched.len())
            .into_par_iter()
            .map(|index| self.write_one(set, &watched, index, out))
            .collect::<Result<_>>()?;
        let count = outcomes.len();
        let skipped: Vec<String> = outcomes.into_iter().flatten().collect();
        Ok((count - skipped.len(), skipped))
    }

    /// Writes one image; if it cannot be read, returns why.
    fn write_one(
        &self,
        set: &Set,
        images: &dyn ImageDataset,
        index: usize,
        out: &Path,
    ) -> Result<Option<String>> {
        let image = match images.image(index) {
            Ok(image) => DynamicImage::ImageRgb8(image),
            Err(error) if error.is_one_image() => return Ok(Some(with_causes(&error))),
            Err(error) => return Err(error.into()),
        };
        let mut folder = out.join(set.folder);
        let class = images.label(index).filter(|_| !set.unlabelled);
        if let Some(class) = class.and_then(|class| images.class_names().get(class)) {
            folder.push(as_file_name(class));
        }
        let (extension, format) = match self.format {
            Format::Png => ("png", ImageFormat::Png),
            Format::Jpeg => ("jpg", ImageFormat::Jpeg),
        };
        let path = folder.join(format!("{index:06}.{extension}"));
        let cannot_write = || format!("cannot write {}", path.display());
        fs::create_dir_all(&folder).with_context(cannot_write)?;
        write_image(&self.shrunk(image), format, &path).with_context(cannot_write)?;
        Ok(None)
    }

    fn shrunk(&self, image: DynamicImage) -> DynamicImage {
        let short = image.width().min(image.height());
        match self.short_side {
            Some(side) if side < short => {
                let scaled = |length: u32| {
                    let length = f64::from(length) * f64::from(side) / f64::from(short);
                    (length.round() as u32).max(1)
                };
                let (width, height) = (scaled(image.width()), scaled(image.height()));
                image.resize_exact(width, height, FilterType::CatmullRom)
            }
            _ => image,
        }
    }
}

/// The sets of `data`. Images that are only pretrained on are `unlabeled`.
fn sets(data: &Splits) -> Vec<Set<'_>> {
    let set = |folder, images, unlabelled| Set { folder, images, unlabelled };
    let Some(labelled) = &data.labelled else {
        return vec![set("unlabeled", &data.pretrain, true)];
    };
    let mut sets = vec![set("train", &labelled.train, false), set("test", &labelled.test, false)];
    let known: std::collections::HashSet<String> =
        (0..labelled.train.len()).map(|index| labelled.train.name(index)).collect();
    // The pretraining images are often the labelled ones themselves.
    if !(0..data.pretrain.len()).all(|index| known.contains(&data.pretrain.name(index))) {
        sets.push(set("unlabeled", &data.pretrain, true));
    }
    sets
}

/// A class's name as the name of a folder.
fn as_file_name(class: &str) -> String {
    let legal = |c: char| if c.is_control() || matches!(c, '/' | '\\' | ':') { '_' } else { c };
    let name: String = class.chars().map(legal).collect();
    match name.trim_start_matches('.') {
        "" => "_".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::as_file_name;

    #[test]
    fn a_class_cannot_lead_out_of_the_folder() {
        assert_eq!(["../up", "a/b", "..", "cat"].map(as_file_name), ["_up", "a_b", "_", "cat"]);
    }
}
