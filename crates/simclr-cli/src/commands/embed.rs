//! `simclr embed`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Error, Result};
use clap::Args;
use serde_json::json;
use simclr::data::{ImageDataset, WholeSet};
use simclr::embed::{Embedded, Embedder, VectorFile, VectorsWritten};
use simclr::train::DataChecksum;

use crate::failure::Interrupted;
use crate::interrupt::on_ctrl_c;
use crate::out_file::check_folder_of;
use crate::output::{Output, print_skipped};
use crate::photo_args::PhotoArgs;
use crate::watched::watched_from;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    photos: PhotoArgs,
    /// File for the vectors: .safetensors, which `simclr search` reads, or .npy for NumPy, with the
    /// images' names beside it in .txt. Names, splits, classes and labels are in .labels.csv beside it
    /// [default: index.safetensors in the run's folder]
    #[arg(long, value_name = "FILE", required_unless_present = "run")]
    out: Option<PathBuf>,
    /// Features of every patch instead of one vector an image, of a vision transformer, in a .npy of the shape [images, patches,
    /// feature size]
    #[arg(long, requires = "out")]
    patches: bool,
    /// Go on with vectors that were begun and not finished, of the same images by the same encoder
    #[arg(long)]
    resume: bool,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let out = self.photos.encoder.index_file(self.out.as_deref());
        if self.patches {
            VectorFile::check_patches_name(&out)?;
        } else {
            VectorFile::check_name(&out)?;
        }
        check_folder_of(Some(&out))?;
        let (embedder, images) = self.photos.open()?;
        let patches = self.patches.then(|| embedder.patches()).transpose()?;
        let file = self.open(&out, &embedder, &images, patches)?;
        let written = self.write(file, &embedder, &images)?;
        let VectorsWritten { vectors, skipped } = written;
        let (size, table) = (embedder.feature_size(), out.with_extension("labels.csv"));
        let what = match patches {
            None => "vectors of ".to_owned(),
            Some(count) => format!("images of {count} patches, each a vector of "),
        };
        output.line(format!("{vectors} {what}length {size} in {}", out.display()));
        output.line(format!("their names, splits and classes in {}", table.display()));
        output.result(&json!({
            "images": vectors,
            "feature_size": size,
            "patches": patches,
            "classes": images.class_names(),
            "skipped_images": skipped,
            "out": out.display().to_string(),
            "labels": table.display().to_string(),
            "weights": self.photos.encoder.weights_json(),
        }));
        Ok(())
    }

    /// The file, new or as it was left.
    fn open(
        &self,
        out: &Path,
        embedder: &Embedder,
        images: &WholeSet,
        patches: Option<usize>,
    ) -> Result<VectorFile> {
        let size = embedder.feature_size() * patches.unwrap_or(1);
        let preparation = embedder.preparation();
        let DataChecksum { images, names, sizes } = DataChecksum::new(images);
        let mut data = format!("{images} images, of names {names:.12} and file sizes {sizes:.12}");
        if patches.is_some() {
            data.push_str(", patch by patch");
        }
        let open = if self.resume { VectorFile::resume } else { VectorFile::create };
        let file = open(out, size, &preparation, &data)?;
        Ok(match patches {
            None => file,
            Some(count) => file.with_patches(count)?,
        })
    }

    /// Embeds what is left of the images.
    fn write(
        &self,
        mut file: VectorFile,
        embedder: &Embedder,
        images: &WholeSet,
    ) -> Result<VectorsWritten> {
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        on_ctrl_c("batch", move || stop.store(true, Ordering::Relaxed))?;
        let (next, count) = (file.next(), images.len());
        let watched = watched_from("embedding", images, next);
        let mut skipped = Vec::new();
        let each = |range, mut part: Embedded| {
            file.append(range, &part, images)?;
            skipped.append(&mut part.skipped);
            if !stopped.load(Ordering::Relaxed) || file.next() == count {
                return Ok(());
            }
            file.note()?;
            let done = file.next();
            let how = "go on by the same command with --resume";
            Err(Error::from(Interrupted(format!("stopped after {done} of {count} images; {how}"))))
        };
        if self.patches {
            embedder.embed_patches_each(&watched, next..count, each)?;
        } else {
            embedder.embed_each(&watched, next..count, each)?;
        }
        drop(watched);
        print_skipped(&skipped);
        file.finish().with_context(|| format!("cannot embed {}", self.photos.data().display()))
    }
}
