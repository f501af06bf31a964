//! `simclr embed`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use simclr::data::{ImageDataset, WholeSet};
use simclr::embed::ImageIndex;

use crate::data_args::warn;
use crate::encoder_args::EncoderArgs;
use crate::failure::usage;
use crate::out_file::check_folder_of;
use crate::output::{Output, print_skipped};
use crate::watched::Watched;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    encoder: EncoderArgs,
    /// Folder of photos (in folders of splits and classes or not), of tar shards, or of STL-10's or
    /// CIFAR-10's binary files; or a tar file, or a pattern such as 'train-{000..146}.tar': all of the
    /// images are embedded
    #[arg(long, value_name = "DATA")]
    data: PathBuf,
    /// File for the vectors: .safetensors, which `simclr search` reads, or .npy for NumPy, with the
    /// images' names beside it in .txt. Names, splits, classes and labels are in .labels.csv beside it
    /// [default: index.safetensors in the run's folder]
    #[arg(long, value_name = "FILE", required_unless_present = "run")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let out = self.encoder.index_file(self.out.as_deref());
        let numpy = is_numpy(&out)?;
        check_folder_of(Some(&out))?;
        let embedder = self.encoder.load()?;
        let images = WholeSet::open_on(&self.data, embedder.transform().ground().0)?;
        warn(images.warnings());
        let embedded = embedder.embed(&Watched::new("embedding", &images))?;
        print_skipped(&embedded.skipped);
        let skipped = embedded.skipped.len();
        let checked = embedded.features.check("index");
        checked.with_context(|| format!("cannot embed {}", self.data.display()))?;
        let table = out.with_extension("labels.csv");
        embedded.write_table(&images, &table)?;
        let index = ImageIndex::new(embedded.names, embedded.features, embedder.preparation())?;
        if numpy {
            index.save_npy(&out)?;
        } else {
            index.save(&out)?;
        }
        let (count, size) = (index.names().len(), index.features().size());
        output.line(format!("{count} vectors of length {size} in {}", out.display()));
        output.line(format!("their names, splits and classes in {}", table.display()));
        output.result(&json!({
            "images": count,
            "feature_size": size,
            "classes": images.class_names(),
            "skipped_images": skipped,
            "out": out.display().to_string(),
            "labels": table.display().to_string(),
        }));
        Ok(())
    }
}

/// Whether vectors go to `out` as NumPy's, by the end of its name.
fn is_numpy(out: &Path) -> Result<bool> {
    match out.extension().and_then(|extension| extension.to_str()) {
        Some("npy") => Ok(true),
        Some("safetensors") => Ok(false),
        _ => {
            let out = out.display();
            let message = format!("expected --out to end in .safetensors or .npy, found {out}");
            Err(usage(message))
        }
    }
}
