//! `simclr data bench`.

mod speed;
mod stages;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;
use simclr::augment::SimClrAugmentation;
use simclr::data::{Opening, Splits};
use simclr::train::Decoding;

use self::speed::Speed;
use self::stages::Stages;
use crate::data_args::{listing_progress, warned};
use crate::output::{Output, print_reasons};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder of photos, of tar shards, or of STL-10's or CIFAR-10's binary files; or a tar file, or a
    /// pattern such as 'train-{000..146}.tar'
    #[arg(long, value_name = "DATA")]
    data: PathBuf,
    /// Try N images, spread over all of them
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    images: u32,
    /// Make views of N x N pixels
    #[arg(long, value_name = "N", default_value_t = 224, value_parser = clap::value_parser!(u32).range(2..=16384))]
    image_size: u32,
    /// Decode images as finely as views need them, or fully
    #[arg(long, value_name = "HOW", default_value = "scaled")]
    decoding: HowFine,
}

#[derive(Clone, Copy, ValueEnum)]
enum HowFine {
    Scaled,
    Full,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let opening = Opening { progress: Some(listing_progress()), ..Opening::default() };
        let data = warned(Splits::open_with(&self.data, &opening)?);
        output.line(&data.description);
        let policy = SimClrAugmentation::imagenet().with_size(self.image_size)?;
        let decoding = match self.decoding {
            HowFine::Scaled => Decoding::Scaled,
            HowFine::Full => Decoding::Full,
        };
        let stages = Stages::new(data.pretrain, policy, decoding, self.images as usize);
        let cores = rayon::current_num_threads();
        let mut speeds = vec![Speed::of(&stages, 1)?];
        if cores > 1 {
            speeds.push(Speed::of(&stages, cores)?);
        }
        print_reasons(&stages.skipped());
        output.line(format!(
            "\nimages a second, {} images, two views of {} x {}:\n",
            stages.len(),
            self.image_size,
            self.image_size
        ));
        output.line(speed::table(&speeds));
        output.line(speeds.iter().map(Speed::limit).collect::<Vec<_>>().join("\n"));
        output.result(&json!({
            "data": data.description,
            "warnings": data.warnings,
            "images": stages.len(),
            "skipped": stages.skipped(),
            "image_size": self.image_size,
            "speeds": speeds.iter().map(Speed::json).collect::<Vec<_>>(),
        }));
        Ok(())
    }
}
