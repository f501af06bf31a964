//! `simclr pretrain`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use simclr::model::ImageEncoder;
use simclr::train::{Pretraining, Progress, RunDirectory, Trained};

use crate::device_args::{TrainingDeviceArgs, TrainingDevices};
use crate::failure::Interrupted;
use crate::interrupt::on_ctrl_c;
use crate::memory::estimate;
use crate::output::{Output, print_reasons};
use crate::plan::Plan;
use crate::run_args::{RunArgs, RunSettings};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    run: RunArgs,
    /// Folder for the run, new or empty [default: the first free of runs/1, runs/2, ...]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Continue the run in DIR after its last checkpoint, on the same --data; of its settings only
    /// --epochs may change
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "recipe", "weights", "dry_run"])]
    resume: Option<PathBuf>,
    /// Print what the run would do, and the memory and time that it would take, and stop there
    #[arg(long)]
    dry_run: bool,
    /// Start from these weights of simclr, torchvision or timm (safetensors, .pth, .pt) instead of
    /// random ones
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    devices: TrainingDeviceArgs,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let settings = self.run.open(self.resume.as_deref())?;
        let devices = self.devices.open(settings.file.device.as_deref())?;
        let out = self.resume.as_ref().or(self.out.as_ref()).or(settings.file.out.as_ref());
        let out = out.map_or_else(|| RunDirectory::free_name("runs"), |out| Ok(out.clone()))?;
        if self.dry_run {
            return self.plan(&settings, &devices, &out, output);
        }
        let pretraining = self.pretraining(&settings, &devices, &out, output)?;
        let images = settings.data.pretrain.len();
        output.line(&settings.data.description);
        output.line(pretraining.config().describe(images, &devices.first)?);
        output.line(format!("device         {}", devices.names()));
        output.line(format!("run directory  {}", out.display()));
        let trained = pretraining.run(&settings.data, &devices.first)?;
        finish(&trained, &settings, &out, output)
    }

    fn plan(
        &self,
        settings: &RunSettings,
        devices: &TrainingDevices,
        out: &Path,
        output: &Output,
    ) -> Result<()> {
        let RunSettings { config, data, .. } = settings;
        let plan = Plan {
            config,
            description: config.describe(data.pretrain.len(), &devices.first)?,
            data,
            out,
            device: &devices.names(),
            estimate: estimate(config, &data.pretrain, &devices.first)?,
        };
        output.line(&plan);
        if self.run.wants_auto_rate() {
            output.line("a range test would choose the learning rate first");
        }
        output.result(&plan.json());
        Ok(())
    }

    fn pretraining(
        &self,
        settings: &RunSettings,
        devices: &TrainingDevices,
        out: &Path,
        output: &Output,
    ) -> Result<Pretraining> {
        let progress = if output.is_json() { Progress::Lines } else { Progress::Auto };
        let mut pretraining = Pretraining::new(settings.config.clone())?.with_trainer(|trainer| {
            let trainer = match self.resume {
                Some(_) => trainer.with_resumed(out),
                None => trainer.with_directory(out),
            };
            trainer.with_more_devices(&devices.more).with_progress(progress)
        });
        if let Some(weights) = self.weights.as_ref().or(settings.file.weights.as_ref()) {
            pretraining = pretraining.with_weights(weights);
        }
        let interrupter = pretraining.interrupter();
        on_ctrl_c("step", move || interrupter.stop(Some("Ctrl-C")))?;
        if self.run.wants_auto_rate() {
            output.line("trying learning rates");
            pretraining = pretraining.with_auto_rate(&settings.data, &devices.first)?;
        }
        Ok(pretraining)
    }
}

/// Says how the run ended.
fn finish(
    trained: &Trained<ImageEncoder>,
    settings: &RunSettings,
    out: &Path,
    output: &Output,
) -> Result<()> {
    let (summary, run) = (&trained.summary, out.display());
    let reasons: Vec<&String> = trained.skipped.iter().map(|skipped| &skipped.reason).collect();
    print_reasons(&reasons);
    if trained.interrupted && summary.epochs == 0 {
        let message = "stopped in the first epoch, before there was a checkpoint to continue from";
        return Err(Interrupted(message.to_owned()).into());
    }
    if trained.interrupted {
        let epoch = summary.epochs;
        let message = format!("stopped after epoch {epoch}; continue with --resume {run}");
        return Err(Interrupted(message).into());
    }
    if let (Some(first), Some(last)) = (summary.loss_first, summary.loss_last) {
        output.line(format!("loss {first:.4} in the first epoch, {last:.4} in the last"));
    }
    if summary.knn_top1.is_some() {
        let [before, after, linear] =
            [summary.knn_top1_initial, summary.knn_top1, summary.linear_probe].map(percent);
        output.line(format!(
            "kNN top-1 on the test set: {before} before pretraining, {after} after it; linear probe {linear}"
        ));
    }
    output.line(format!("encoder: {}", out.join("encoder.safetensors").display()));
    output.line(next_step(settings, out));
    let mut result = serde_json::to_value(summary)?;
    if let Value::Object(result) = &mut result {
        result.insert("run".to_owned(), json!(run.to_string()));
    }
    output.result(&result);
    Ok(())
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

/// The command that one usually types next.
fn next_step(settings: &RunSettings, out: &Path) -> String {
    let labelled = settings.data.labelled.is_some();
    let command = if labelled { "report" } else { "embed" };
    let folder = settings.folder.as_ref().map(|folder| format!(" --data {}", folder.display()));
    let images = settings.images.filter(|_| labelled).map(|images| format!(" --images {images}"));
    let [folder, images] = [folder, images].map(Option::unwrap_or_default);
    format!("next: simclr {command} --run {}{folder}{images}", out.display())
}
