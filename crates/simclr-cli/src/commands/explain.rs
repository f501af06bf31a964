//! `simclr explain`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use image::ImageFormat;
use serde_json::json;
use simclr::data::{decode_image_on, escape_name, printable};
use simclr::embed::{Reason, SimilarityMap};

use crate::encoder_args::EncoderArgs;
use crate::failure::usage;
use crate::image_file::write_image;
use crate::out_file::check_folder_of;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    encoder: EncoderArgs,
    /// Image to explain
    #[arg(value_name = "A")]
    first: PathBuf,
    /// Image that it is compared with
    #[arg(value_name = "B")]
    second: PathBuf,
    /// File for the picture: .png or .jpg. It has A and B, each as the encoder sees it and under its map
    #[arg(long, value_name = "FILE", default_value = "explained.png")]
    out: PathBuf,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let out = self.out.display();
        let format = ImageFormat::from_path(&self.out)
            .map_err(|_| usage(format!("expected --out to end in .png or .jpg, found {out}")))?;
        check_folder_of(Some(&self.out))?;
        let embedder = self.encoder.load()?;
        let ground = embedder.transform().ground().0;
        let [a, b] =
            [decode_image_on(&self.first, ground)?, decode_image_on(&self.second, ground)?];
        let explained = embedder.explain(&a, &b)?;
        write_image(&explained.picture().into(), format, &self.out)
            .with_context(|| format!("cannot write {out}"))?;
        let what = match explained.reason {
            Reason::Share => "shares of the cosine at each place; their mean is the cosine",
            Reason::Occlusion => "how much the cosine falls without each patch",
        };
        output.line(format!("cosine {:.4}", explained.cosine));
        output.line(printable(&format!("{what}; written to {out}")));
        let map = |path: &PathBuf, SimilarityMap { size, values }: &SimilarityMap| json!({ "image": escape_name(path), "size": size, "values": values });
        output.result(&json!({
            "cosine": explained.cosine,
            "by": match explained.reason {
                Reason::Share => "share",
                Reason::Occlusion => "occlusion",
            },
            "maps": [map(&self.first, &explained.maps[0]), map(&self.second, &explained.maps[1])],
            "out": out.to_string(),
            "weights": self.encoder.weights_json(),
        }));
        Ok(())
    }
}
