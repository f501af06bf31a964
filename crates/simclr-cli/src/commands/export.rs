//! `simclr export`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use simclr::data::replace_file;
use simclr::embed::OnnxOptions;
use simclr::model::{Naming, save_published_weights};

use crate::exported_args::{Exported, ExportedArgs};
use crate::failure::usage;
use crate::out_file::check_folder_of;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    exported: ExportedArgs,
    /// Library whose names the weights get, or onnx for a graph that onnxruntime runs
    #[arg(long, value_name = "TARGET")]
    to: Target,
    /// File to write: .safetensors for the weights, .onnx for the graph
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// With --to onnx: take u8 pixels, [n, height, width, 3], and normalise them in the graph
    #[arg(long)]
    with_preprocessing: bool,
    /// With --to onnx: write the weights in f16, which halves the file
    #[arg(long)]
    half: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Target {
    /// torchvision.models, and torchvision.ops.MLP
    Torchvision,
    /// pytorch-image-models
    Timm,
    /// The package of EfficientNets by that name
    #[value(name = "efficientnet-pytorch")]
    EfficientNetPytorch,
    /// A graph with its weights, for onnxruntime and other runtimes of ONNX
    Onnx,
}

impl Target {
    /// The library whose names the weights get; `None` for a graph.
    fn naming(self) -> Option<Naming> {
        match self {
            Self::Torchvision => Some(Naming::Torchvision),
            Self::Timm => Some(Naming::Timm),
            Self::EfficientNetPytorch => Some(Naming::EfficientNetPytorch),
            Self::Onnx => None,
        }
    }
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let naming = self.to.naming();
        check_extension(&self.out, if naming.is_some() { "safetensors" } else { "onnx" })?;
        check_folder_of(Some(&self.out))?;
        if naming.is_some() && (self.with_preprocessing || self.half) {
            return Err(usage("expected --with-preprocessing and --half with --to onnx alone"));
        }
        if naming.is_some() && self.exported.has_classifier() {
            return Err(usage("expected --classifier with --to onnx alone"));
        }
        let exported = self.exported.load()?;
        let result = match naming {
            Some(naming) => self.weights(&exported, naming, output)?,
            None => self.graph(&exported, output)?,
        };
        output.result(&result);
        Ok(())
    }

    fn weights(&self, exported: &Exported, naming: Naming, output: &Output) -> Result<Value> {
        save_published_weights(exported.embedder().encoder(), naming, &self.out)?;
        let (encoder, out) = (encoder_name(exported), self.out.display());
        output.line(format!("{encoder} with {naming}'s names, without a classifier: {out}"));
        Ok(self.result(exported, &naming.to_string()))
    }

    fn graph(&self, exported: &Exported, output: &Output) -> Result<Value> {
        let options = OnnxOptions { with_preprocessing: self.with_preprocessing, half: self.half };
        let (graph, classes) = match exported {
            Exported::Encoder(embedder) => (embedder.to_onnx(options).0, None),
            Exported::Classifier(classifier) => {
                (classifier.to_onnx(options), Some(classifier.class_names()))
            }
        };
        let bytes = graph.into_bytes()?;
        replace_file(&self.out, |file| file.write_all(&bytes))
            .with_context(|| format!("cannot write {}", self.out.display()))?;
        let side = exported.embedder().transform().size();
        let input = if self.with_preprocessing {
            format!("pixels u8[n, {side}, {side}, 3]")
        } else {
            format!("images f32[n, 3, {side}, {side}], normalised")
        };
        let features = exported.embedder().feature_size();
        let said = classes.map_or_else(String::new, |classes| {
            format!(", probabilities f32[n, {}]", classes.len())
        });
        output.line(format!(
            "{} as ONNX: {input} -> features f32[n, {features}]{said}: {}",
            encoder_name(exported),
            self.out.display()
        ));
        let mut result = self.result(exported, "onnx");
        result["image_size"] = side.into();
        result["with_preprocessing"] = self.with_preprocessing.into();
        result["half"] = self.half.into();
        if let Some(classes) = classes {
            result["classes"] = classes.into();
        }
        Ok(result)
    }

    fn result(&self, exported: &Exported, to: &str) -> Value {
        json!({
            "encoder": encoder_name(exported),
            "to": to,
            "feature_size": exported.embedder().feature_size(),
            "weights": self.exported.weights_json(),
            "out": self.out.display().to_string(),
        })
    }
}

fn encoder_name(exported: &Exported) -> String {
    exported.embedder().config().expect("it was built by its config").to_string()
}

fn check_extension(out: &Path, expected: &str) -> Result<()> {
    if out.extension().is_some_and(|extension| extension == expected) {
        return Ok(());
    }
    Err(usage(format!("expected --out to end in .{expected}, found {}", out.display())))
}
