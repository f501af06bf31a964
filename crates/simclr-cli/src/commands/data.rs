//! `simclr data`.

mod bench;
mod check;
mod convert;
mod download;
mod pack;

use anyhow::Result;
use clap::Subcommand;

use crate::output::Output;

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Read every image of a folder, and report what is there and what is wrong
    Check(check::Arguments),
    /// Measure how many images a second can be read, decoded and made views of, and what limits it
    Bench(bench::Arguments),
    /// Write images as PNG or JPEG files, in class folders
    Convert(convert::Arguments),
    /// Pack images, shrunk if you like, into one file that is read faster than the originals
    Pack(pack::Arguments),
    /// Fetch STL-10 (2.6 GB) or CIFAR-10 (170 MB) from their authors' servers
    Download(download::Arguments),
}

impl Task {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        match self {
            Self::Check(arguments) => arguments.run(output),
            Self::Bench(arguments) => arguments.run(output),
            Self::Convert(arguments) => arguments.run(output),
            Self::Pack(arguments) => arguments.run(output),
            Self::Download(arguments) => arguments.run(output),
        }
    }
}
