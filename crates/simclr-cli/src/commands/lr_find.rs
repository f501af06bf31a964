//! `simclr lr-find`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use simclr::data::replace_file;
use simclr::report::learning_rate_plot;
use simclr::train::{Pretraining, Progress, RangeTest, TrainError, device_from_name};

use crate::bar::while_waiting;
use crate::config_args::ConfigArgs;
use crate::data_args::DataArgs;
use crate::interrupt::on_ctrl_c;
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    config: ConfigArgs,
    /// Where to train: flex (the CPU), wgpu, cuda:N, ...
    #[arg(long, value_name = "NAME", default_value = "flex")]
    device: String,
    /// Steps from the lowest to the highest rate [default: as many as `--lr auto` takes]
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    /// Where the plot of loss over rate goes
    #[arg(long, value_name = "FILE.svg")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let device = device_from_name(&self.device)?;
        let file = self.config.file()?;
        let data = self.data.open_or(file.data.as_ref().map(PathBuf::from))?;
        let config = self.config.resolve(&file, data.pretrain.as_ref())?;
        let test = RangeTest::default();
        let test = RangeTest { steps: self.steps.unwrap_or(test.steps), ..test };
        let pretraining = Pretraining::new(config).with_progress(Progress::Silent);
        let interrupter = pretraining.interrupter();
        on_ctrl_c(move || interrupter.stop(Some("Ctrl-C")))?;
        let curve = while_waiting("trying learning rates", || {
            pretraining.range_test(test, &data, &device)
        })?;

        if let Some(out) = &self.out {
            replace_file(out, |file| file.write_all(learning_rate_plot(&curve).as_bytes()))
                .with_context(|| format!("cannot write {}", out.display()))?;
            output.line(format!("plot: {}", out.display()));
        }
        let suggestion = curve.suggestion();
        output.result(&json!({ "suggestion": suggestion, "curve": curve }));
        let tried = curve.tried.len();
        let rate = suggestion.ok_or(TrainError::NoLearningRate { tried })?;
        output.line(format!("suggested learning rate: {rate} (of {tried} tried)"));
        Ok(())
    }
}
