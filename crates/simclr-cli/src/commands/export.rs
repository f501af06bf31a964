//! `simclr export`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;
use simclr::model::{Naming, save_published_weights};

use crate::encoder_args::EncoderArgs;
use crate::failure::usage;
use crate::out_file::check_folder_of;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    encoder: EncoderArgs,
    /// Library whose names the weights get
    #[arg(long, value_name = "LIBRARY")]
    to: Library,
    /// File for the weights, .safetensors
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Library {
    /// torchvision.models, and torchvision.ops.MLP
    Torchvision,
    /// pytorch-image-models
    Timm,
    /// The package of EfficientNets by that name
    #[value(name = "efficientnet-pytorch")]
    EfficientNetPytorch,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let out = self.out.display();
        if self.out.extension().is_none_or(|extension| extension != "safetensors") {
            return Err(usage(format!("expected --out to end in .safetensors, found {out}")));
        }
        check_folder_of(Some(&self.out))?;
        let naming = match self.to {
            Library::Torchvision => Naming::Torchvision,
            Library::Timm => Naming::Timm,
            Library::EfficientNetPytorch => Naming::EfficientNetPytorch,
        };
        let embedder = self.encoder.load()?;
        save_published_weights(embedder.encoder(), naming, &self.out)?;
        let encoder = embedder.config().expect("it was built by its config").to_string();
        output.line(format!("{encoder} with {naming}'s names, without a classifier: {out}"));
        output.result(&json!({
            "encoder": encoder,
            "to": naming.to_string(),
            "feature_size": embedder.feature_size(),
            "out": out.to_string(),
        }));
        Ok(())
    }
}
