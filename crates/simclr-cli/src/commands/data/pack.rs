//! `simclr data pack`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;
use simclr::augment::Ground;
use simclr::data::{ImageDataset, Opening, PackConfig, PackFormat, WholeSet, pack};

use crate::bar::Bar;
use crate::data_args::warn;
use crate::failure::usage;
use crate::interrupt::on_ctrl_c;
use crate::out_file::check_folder_of;
use crate::output::{Output, print_reasons, with_causes};

/// The JPEG quality that hardly anyone tells from the original.
const QUALITY: u8 = 90;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Folder of photos (in class folders or not), of tar shards, or of STL-10's or CIFAR-10's binary
    /// files; or a tar file, or a pattern such as 'train-{000..146}.tar'
    #[arg(long, value_name = "DATA")]
    data: PathBuf,
    /// New file, a tar archive that --data takes: names, classes and splits are kept
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Shrink images to a short side of N pixels, unless it is shorter already. Crops of 224 pixels are
    /// usually taken of 256
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16384))]
    short_side: Option<u32>,
    /// JPEG (4:2:0), or pixels without compression, which need no decoding and ten times the space
    #[arg(long, value_name = "FORMAT", default_value = "jpeg")]
    format: Format,
    /// Quality of JPEGs, 1 to 100 [default: 90]
    #[arg(long, value_name = "Q", value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: Option<u8>,
    /// What lies below transparent images: white, black, or '#rrggbb'
    #[arg(long, value_name = "COLOUR", default_value = "white")]
    ground: Ground,
    /// Go on where an earlier call stopped, was killed, or found the disk full
    #[arg(long)]
    resume: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Jpeg,
    Raw,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let config =
            PackConfig { short_side: self.short_side, format: self.format()?, resume: self.resume };
        check_folder_of(Some(&self.out))?;
        let opening = Opening { ground: self.ground.0, in_order: true, ..Opening::default() };
        let images = WholeSet::open_with(&self.data, &opening)?;
        warn(images.warnings());
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        on_ctrl_c("piece", move || stop.store(true, Ordering::Relaxed))?;
        let bar = Bar::new("packing", images.len(), "images");
        let packed = pack(&images, &self.out, &config, |progress| {
            bar.set(progress.done);
            if stopped.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        drop(bar);
        let skipped: Vec<String> = packed.skipped.iter().map(|error| with_causes(error)).collect();
        print_reasons(&skipped);
        let (count, out) = (packed.images, self.out.display().to_string());
        output.line(format!("{count} images in {out}, {:.1} MB", packed.bytes as f64 / 1e6));
        output.result(&json!({
            "images": count,
            "resumed_images": packed.resumed,
            "skipped_images": skipped.len(),
            "skipped": skipped,
            "bytes": packed.bytes,
            "out": out,
        }));
        Ok(())
    }

    fn format(&self) -> Result<PackFormat> {
        match (self.format, self.quality) {
            (Format::Jpeg, quality) => Ok(PackFormat::Jpeg { quality: quality.unwrap_or(QUALITY) }),
            (Format::Raw, None) => Ok(PackFormat::Raw),
            (Format::Raw, Some(_)) => {
                Err(usage("expected --quality with --format jpeg, found it with raw"))
            }
        }
    }
}
