//! `simclr embed`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use simclr::data::{ImageDataset, ImageFolder};
use simclr::embed::ImageIndex;

use crate::encoder_args::EncoderArgs;
use crate::failure::usage;
use crate::output::{Output, print_skipped};
use crate::watched::Watched;

/// The index's name in a run's folder.
pub(crate) const INDEX: &str = "index.safetensors";

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    encoder: EncoderArgs,
    /// Folder of JPEG, PNG or WebP files, at any depth
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the vectors go: .safetensors, for `simclr search`, or .npy for NumPy, with the files' names
    /// beside it in .txt [default: index.safetensors in the run's folder]
    #[arg(long, value_name = "FILE", required_unless_present = "run")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let out = match (&self.out, &self.encoder.run) {
            (Some(out), _) => out.clone(),
            (None, Some(run)) => run.join(INDEX),
            (None, None) => return Err(usage("expected --out")),
        };
        let numpy = match out.extension().and_then(|extension| extension.to_str()) {
            Some("npy") => true,
            Some("safetensors") => false,
            _ => {
                let out = out.display();
                let message = format!("expected --out to end in .safetensors or .npy, found {out}");
                return Err(usage(message));
            }
        };
        let trained = self.encoder.load()?;
        let folder: std::sync::Arc<dyn ImageDataset> =
            std::sync::Arc::new(ImageFolder::open(&self.data)?);
        let watched = Watched::new("embedding", &folder);
        let embedded = trained.embedder.embed(&watched)?;
        drop(watched);
        print_skipped(&embedded.skipped);
        let index = ImageIndex::new(embedded.names, embedded.features, trained.checksum)
            .with_context(|| format!("no vectors of {}", self.data.display()))?;
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
