//! `simclr data download`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;
use simclr::data::{Cifar10, DownloadProgress, DownloadStage, Stl10};

use crate::bar::Bar;
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
        let mut shown: Option<(DownloadStage, Bar)> = None;
        let mut show = |progress: DownloadProgress| {
            let stage = progress.stage;
            if shown.as_ref().is_none_or(|(old, _)| *old != stage) {
                let what = match stage {
                    DownloadStage::Fetching => "fetching",
                    DownloadStage::Verifying => "checking",
                    _ => "unpacking",
                };
                let megabytes = progress.total.unwrap_or(0) / 1_000_000;
                shown = Some((stage, Bar::new(what, megabytes as usize, "MB")));
            }
            if let Some((_, bar)) = &shown {
                bar.set((progress.bytes / 1_000_000) as usize);
            }
        };
        let dir = match self.name {
            Name::Stl10 => Stl10::download(&self.out, &mut show)?,
            Name::Cifar10 => Cifar10::download(&self.out, &mut show)?,
        };
        drop(shown);
        output.line(format!("complete: {}", dir.display()));
        output.result(&json!({ "out": dir.display().to_string() }));
        Ok(())
    }
}
