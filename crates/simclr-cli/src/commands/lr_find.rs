//! `simclr lr-find`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use simclr::data::replace_file;
use simclr::report::learning_rate_plot;
use simclr::train::{Pretraining, Progress, RangeTest, TrainError};

use crate::bar::while_waiting;
use crate::device_args::TrainingDeviceArgs;
use crate::first_weight_args::{FirstWeightArgs, begin_with};
use crate::interrupt::on_ctrl_c;
use crate::out_file::check_folder_of;
use crate::output::Output;
use crate::run_args::RunArgs;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    run: RunArgs,
    #[command(flatten)]
    first: FirstWeightArgs,
    #[command(flatten)]
    devices: TrainingDeviceArgs,
    /// Steps from the lowest to the highest rate [default: 800]
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
    /// File for a plot of the loss over the rate
    #[arg(long, value_name = "FILE.svg")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        check_folder_of(self.out.as_deref())?;
        let test = match self.steps {
            Some(steps) => RangeTest::with_steps(steps)?,
            None => RangeTest::default(),
        };
        let mut settings = self.run.open(None)?;
        let weights = self.first.of_new_run(&mut settings)?;
        let devices = self.devices.open(settings.file.device.as_deref())?;
        let mut pretraining = Pretraining::new(settings.config)?.with_trainer(|trainer| {
            trainer.with_progress(Progress::Silent).with_more_devices(&devices.more)
        });
        if let Some(weights) = &weights {
            pretraining = begin_with(weights, pretraining, &devices.first)?;
        }
        let interrupter = pretraining.interrupter();
        on_ctrl_c("step", move || interrupter.stop(Some("Ctrl-C")))?;
        let curve = while_waiting("trying learning rates", || {
            pretraining.range_test(test, &settings.data, &devices.first)
        })?;

        if let Some(out) = &self.out {
            replace_file(out, |file| file.write_all(learning_rate_plot(&curve).as_bytes()))
                .with_context(|| format!("cannot write {}", out.display()))?;
            output.line(format!("plot: {}", out.display()));
        }
        let tried = curve.tried.len();
        let rate = curve.suggestion().ok_or(TrainError::NoLearningRate { tried })?;
        output.line(format!("the loss falls fastest at {rate} (of {tried} rates tried)"));
        output.line("a whole run may do best at a rate several times as high: look at the plot");
        output.result(&json!({ "suggestion": rate, "curve": curve }));
        Ok(())
    }
}
