//! `simclr report`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;
use simclr::report::{ReportConfig, RunReport};
use simclr::train::{PretrainConfig, RunDirectory};

use crate::bar::while_waiting;
use crate::data_args::{DataArgs, index_of_run};
use crate::device_args::DeviceArgs;
use crate::out_file::check_folder_of;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Run directory
    #[arg(long, value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// File for the page [default: report.html in the run's folder]
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// Embed at most N images of the training set and N of the test set [default: 2000]
    #[arg(long, value_name = "N")]
    max_images: Option<usize>,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let run = RunDirectory::open(&self.run)?;
        let device = self.device.open()?;
        let ground = PretrainConfig::of_run(&run)?.images.augmentation.ground;
        let data = self.data.open(ground, index_of_run(&run, self.data.folder()))?;
        let out = self.out.clone().unwrap_or_else(|| self.run.join("report.html"));
        check_folder_of(Some(&out))?;
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
