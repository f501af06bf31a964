//! `simclr embed`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use simclr::data::ImageFolder;
use simclr::embed::ImageIndex;

use crate::encoder_args::EncoderArgs;
use crate::failure::usage;
use crate::out_file::check_folder_of;
use crate::output::{Output, print_skipped};
use crate::watched::Watched;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    encoder: EncoderArgs,
    /// Folder of JPEG, PNG, WebP, BMP, GIF or TIFF files, at any depth
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// File for the vectors: .safetensors, which `simclr search` reads, or .npy for NumPy, with the
    /// images' names beside it in .txt [default: index.safetensors in the run's folder]
    #[arg(long, value_name = "FILE", required_unless_present = "run")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let out = self.encoder.index_file(self.out.as_deref());
        let numpy = is_numpy(&out)?;
        check_folder_of(Some(&out))?;
        let embedder = self.encoder.load()?;
        let images = ImageFolder::open(&self.data)?;
        let embedded = embedder.embed(&Watched::new("embedding", images))?;
        print_skipped(&embedded.skipped);
        let index = ImageIndex::new(embedded.names, embedded.features, self.encoder.checksum()?)
            .with_context(|| format!("no image in {} can be embedded", self.data.display()))?;
        if numpy {
            index.save_npy(&out)?;
        } else {
            index.save(&out)?;
        }
        let (count, size) = (index.names().len(), index.features().size());
        output.line(format!("{count} vectors of length {size} in {}", out.display()));
        output.result(&json!({
            "images": count,
            "feature_size": size,
            "skipped_images": embedded.skipped.len(),
            "out": out.display().to_string(),
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
