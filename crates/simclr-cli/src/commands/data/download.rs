//! `simclr data download`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;
use simclr::data::{Cifar10, Stl10};

use crate::download_bar::DownloadBar;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Which data set
    #[arg(value_name = "NAME")]
    name: Name,
    /// Folder for its files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Stl10,
    Cifar10,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let mut bar = DownloadBar::default();
        let mut show = |progress| bar.show(progress);
        let dir = match self.name {
            Name::Stl10 => Stl10::download(&self.out, &mut show)?,
            Name::Cifar10 => Cifar10::download(&self.out, &mut show)?,
        };
        drop(bar);
        output.line(format!("complete: {}", dir.display()));
        output.result(&json!({ "out": dir.display().to_string() }));
        Ok(())
    }
}
