//! `simclr data convert`.

mod new_paths;

use std::collections::HashSet;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use rayon::prelude::*;
use serde_json::json;
use simclr::data::{ImageDataset, Labelled, Splits, Subset};
use simclr_files::{create_folders, remove_folder, rename, sync_folders, write_new};

use self::new_paths::new_paths;
use crate::data_args::warned;
use crate::failure::usage;
use crate::output::{Output, print_reasons, with_causes};
use crate::watched::watched;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder of photos, of tar shards, or of STL-10's or CIFAR-10's binary files; or a tar file, or a
    /// pattern such as 'train-{000..146}.tar'
    #[arg(value_name = "DATA")]
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
struct Set {
    folder: &'static str,
    images: Arc<dyn ImageDataset>,
    /// Whether its images lie in folders of their classes.
    by_class: bool,
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
            let _ = remove_folder(&partial);
        }
        let (written, skipped) = outcome?;
        print_reasons(&skipped);
        sync_folders(&partial)
            .and_then(|()| rename(&partial, &self.out))
            .with_context(|| format!("cannot write {}", self.out.display()))?;
        output.line(format!("{written} images in {}", self.out.display()));
        output.result(&json!({
            "images": written,
            "skipped_images": skipped.len(),
            "skipped": skipped,
            "out": self.out.display().to_string(),
        }));
        Ok(())
    }

    /// Writes all sets. Returns the number of images, and why others could not be read.
    fn write_all(&self, data: &Splits, out: &Path) -> Result<(usize, Vec<String>)> {
        let (mut written, mut skipped) = (0, Vec::new());
        for set in sets(data)? {
            let outcome = self.write(&set, out)?;
            written += outcome.0;
            skipped.extend(outcome.1);
        }
        Ok((written, skipped))
    }

    /// Writes a set, see [`write_all`](Self::write_all).
    fn write(&self, set: &Set, out: &Path) -> Result<(usize, Vec<String>)> {
        let out = out.join(set.folder);
        let (extension, _) = self.format.names();
        let paths = new_paths(&*set.images, set.by_class, extension);
        let watched = watched(format!("converting {}", set.folder), &set.images);
        let outcomes: Vec<Option<String>> = (0..watched.len())
            .into_par_iter()
            .map(|index| self.write_one(&watched, index, &out.join(&paths[index])))
            .collect::<Result<_>>()?;
        let count = outcomes.len();
        let skipped: Vec<String> = outcomes.into_iter().flatten().collect();
        Ok((count - skipped.len(), skipped))
    }

    /// Writes one image; if it cannot be read, returns why.
    fn write_one(
        &self,
        images: &dyn ImageDataset,
        index: usize,
        path: &Path,
    ) -> Result<Option<String>> {
        let image = match images.image(index) {
            Ok(image) => in_fewest_channels(image),
            Err(error) if error.is_one_image() => return Ok(Some(with_causes(&error))),
            Err(error) => return Err(error.into()),
        };
        let image = self.shrunk(image);
        let (_, format) = self.format.names();
        let cannot_write = || format!("cannot write {}", path.display());
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).map_err(io::Error::other).with_context(cannot_write)?;
        create_folders(path.parent().unwrap_or(path)).with_context(cannot_write)?;
        // No other image has this name, unless the disk takes two names for one.
        write_new(path, bytes.get_ref()).with_context(cannot_write)?;
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

impl Format {
    fn names(self) -> (&'static str, ImageFormat) {
        match self {
            Self::Png => ("png", ImageFormat::Png),
            Self::Jpeg => ("jpg", ImageFormat::Jpeg),
        }
    }
}

/// The image, with one channel if it is gray.
fn in_fewest_channels(image: RgbImage) -> DynamicImage {
    if image.pixels().all(|Rgb([r, g, b])| r == g && g == b) {
        let gray = GrayImage::from_fn(image.width(), image.height(), |x, y| {
            Luma([image.get_pixel(x, y).0[0]])
        });
        return DynamicImage::ImageLuma8(gray);
    }
    DynamicImage::ImageRgb8(image)
}

/// The sets of `data`, in which each image is once: `unlabeled` are those that are only pretrained on.
fn sets(data: &Splits) -> Result<Vec<Set>> {
    let unlabelled = |images| Set { folder: "unlabeled", images, by_class: false };
    let Some(Labelled { train, test }) = &data.labelled else {
        return Ok(vec![unlabelled(Arc::clone(&data.pretrain))]);
    };
    let labelled = |folder, images| Set { folder, images: Arc::clone(images), by_class: true };
    let mut sets = vec![labelled("train", train), labelled("test", test)];
    let known: HashSet<String> = (0..train.len()).map(|index| train.name(index)).collect();
    let others = |&index: &usize| !known.contains(&data.pretrain.name(index));
    let others: Vec<usize> = (0..data.pretrain.len()).filter(others).collect();
    if !others.is_empty() {
        sets.push(unlabelled(Arc::new(Subset::new(Arc::clone(&data.pretrain), others)?)));
    }
    Ok(sets)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use simclr_files::faults::{self, Fault};

    use super::*;

    /// The files of a converted folder, by their paths in it.
    fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(files(&path));
            } else {
                found.push((path.clone(), fs::read(path).unwrap()));
            }
        }
        found.sort();
        found
    }

    #[test]
    fn whatever_fails_the_new_folder_is_absent_or_whole() {
        let data = tempfile::tempdir().unwrap();
        for (level, name) in ["cat/1.png", "cat/2.png", "dog/1.png"].into_iter().enumerate() {
            let path = data.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            RgbImage::from_pixel(9, 7, Rgb([50 * level as u8, 10, 20])).save(path).unwrap();
        }
        let attempt = |folder: &Path| {
            let (dir, out) = (data.path().to_owned(), folder.join("out"));
            let arguments = Arguments { dir, out, short_side: None, format: Format::Png };
            arguments.run(&Output::new(true)).map_err(|error| format!("{error:#}"))
        };
        let whole = |folder: &Path| {
            let out = folder.join("out");
            let files = files(&out).into_iter();
            files
                .map(|(path, bytes)| (path.strip_prefix(&out).unwrap().to_owned(), bytes))
                .collect::<Vec<_>>()
        };
        let once = tempfile::tempdir().unwrap();
        attempt(once.path()).unwrap();
        let expected = whole(once.path());
        assert_eq!(expected.len(), 3);

        let count = faults::everywhere(
            |_| (),
            attempt,
            |after| {
                if !after.folder.join("out").exists() {
                    assert!(after.outcome.is_err(), "{after:?}");
                    let partial = after.folder.join("out.part");
                    // The next command says that it is there, and to remove it.
                    assert!(
                        after.fault != Fault::Stopped
                            || attempt(after.folder).is_err()
                            || !partial.exists()
                    );
                    let _ = fs::remove_dir_all(partial);
                    let _ = fs::remove_dir_all(after.folder.join("out"));
                    attempt(after.folder)
                        .unwrap_or_else(|error| panic!("{after:?}, again: {error}"));
                }
                assert!(whole(after.folder) == expected, "{after:?}");
            },
        );
        assert!(count > 20, "only {count} faults");
    }
}
