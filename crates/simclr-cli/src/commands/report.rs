//! `simclr report`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use simclr::report::{ReportConfig, RunReport};
use simclr::train::{RunDirectory, device_from_name};

use crate::bar::while_waiting;
use crate::data_args::DataArgs;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Run directory
    #[arg(long, value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Where the page goes [default: report.html in the run's folder]
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// Embed at most N of the labelled images, and as many held-out ones: figures are of these [default:
    /// 2000]
    #[arg(long, value_name = "N")]
    max_images: Option<usize>,
    /// Where the encoder runs: flex (the CPU), wgpu, cuda:N, ...
    #[arg(long, value_name = "NAME", default_value = "flex")]
    device: String,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let run = RunDirectory::open(&self.run)?;
        let device = device_from_name(&self.device)?;
        let data = self.data.open()?;
        let out = self.out.clone().unwrap_or_else(|| self.run.join("report.html"));
        let config = ReportConfig::default();
        let max_images = self.max_images.unwrap_or(config.max_images);
        let config = ReportConfig { max_images, ..config };
        let report =
            while_waiting("looking at the run", || RunReport::new(&run, &data, &config, &device))?;
        report.write(&out)?;
        output.line(format!("report: {}", out.display()));
        output.result(&json!({ "out": out.display().to_string() }));
        Ok(())
    }
}
