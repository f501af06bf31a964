//! `simclr pretrain`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use simclr::burn::tensor::Device;
use simclr::data::Splits;
use simclr::model::ImageEncoder;
use simclr::train::{
    ImageSource, MonitorEvery, Position, Pretraining, Progress, RunDirectory, Trained, Trainer,
};

use crate::device_args::{Devices, TrainingDeviceArgs};
use crate::failure::Interrupted;
use crate::first_weight_args::{FirstWeightArgs, begin_with};
use crate::interrupt::on_ctrl_c;
use crate::memory::estimate;
use crate::output::{NAMED, Output, percent, print_reasons};
use crate::plan::Plan;
use crate::resumed_args::ResumedRun;
use crate::run_args::{RunArgs, RunSettings};
use crate::shell::{quoted, resume_command};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    run: RunArgs,
    /// Folder for the run, new or empty [default: the first free of runs/1, runs/2, ...]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Go on with the run in DIR where it stopped. It needs nothing else: images, settings and device are the run's. Flags
    /// may repeat its settings; --epochs, --max-skipped, --stop-when-flat, --monitor-images, --monitor-every and --device may change them, and
    /// --data says where its images are now
    #[arg(long, value_name = "DIR", conflicts_with = "dry_run")]
    resume: Option<PathBuf>,
    /// With more --epochs, begin a new schedule (with warm-up) for what is left to train, instead of one schedule over all
    /// epochs
    #[arg(long, requires = "resume")]
    restart_schedule: bool,
    /// Go on with the images in --data although they are not those that the run has learnt from
    #[arg(long, requires = "resume")]
    accept_other_data: bool,
    /// Print what the run would do, and the memory and time that it would take, and stop there
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    first: FirstWeightArgs,
    #[command(flatten)]
    devices: TrainingDeviceArgs,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let resumed = self.resume.as_deref().map(ResumedRun::open).transpose()?;
        let (settings, weights) = if let Some(run) = &resumed {
            // It knows its own weights.
            (self.run.resume(run)?, self.first.of_resumed_run(run)?)
        } else {
            let mut settings = self.run.open(None)?;
            let weights = self.first.of_new_run(&mut settings)?;
            (settings, weights)
        };
        let in_run = resumed.as_ref().map(ResumedRun::device);
        let devices = self.devices.open(settings.file.device.as_deref().or(in_run))?;
        let out = self.resume.as_ref().or(self.out.as_ref()).or(settings.file.out.as_ref());
        let out = out.map_or_else(|| RunDirectory::free_name("runs"), |out| Ok(out.clone()))?;
        if self.dry_run {
            if let Some(weights) = &weights {
                let pretraining = Pretraining::new(settings.config.clone())?;
                begin_with(weights, pretraining, &devices.first)?;
            }
            return Self::plan(&settings, &devices, &out, output);
        }
        if resumed.is_none() {
            RunDirectory::check_free(&out)?;
        }
        let mut pretraining = self.pretraining(&settings, &devices, &out, output)?;
        if let Some(weights) = &weights {
            pretraining = begin_with(weights, pretraining, &devices.first)?;
        }
        let images = settings.data.pretrain.len();
        output.line(&settings.data.description);
        output.line(pretraining.config().describe(images, &devices.first)?);
        if let Some(change) = pretraining.rate_change(&settings.data)? {
            output.line(format!("rate change    {change}"));
        }
        let monitor = monitor_in_words(&pretraining, &settings.data, &devices.first)?;
        output.line(format!("monitor        {monitor}"));
        output.line(format!("device         {}", devices.names()));
        output.line(format!("run directory  {}", out.display()));
        let trained = pretraining.run(&settings.data, &devices.first)?;
        finish(&trained, &settings, &out, output)
    }

    fn plan(settings: &RunSettings, devices: &Devices, out: &Path, output: &Output) -> Result<()> {
        let RunSettings { config, data, .. } = settings;
        let pretraining = Pretraining::new(config.clone())?;
        let plan = Plan {
            config,
            monitor: monitor_in_words(&pretraining, data, &devices.first)?,
            description: config.describe(data.pretrain.len(), &devices.first)?,
            data,
            out,
            device: &devices.names(),
            estimate: estimate(config, &data.pretrain, &devices.first)?,
        };
        output.line(&plan);
        output.result(&plan.json());
        Ok(())
    }

    fn pretraining(
        &self,
        settings: &RunSettings,
        devices: &Devices,
        out: &Path,
        output: &Output,
    ) -> Result<Pretraining> {
        let progress = if output.is_json() { Progress::Lines } else { Progress::Auto };
        let pretraining = Pretraining::new(settings.config.clone())?
            .with_source(settings.source.clone())
            .with_trainer(|trainer| {
                let trainer = trainer.with_more_devices(&devices.more).with_progress(progress);
                self.in_folder(trainer, out)
            });
        let interrupter = pretraining.interrupter();
        on_ctrl_c("step", move || interrupter.stop(Some("Ctrl-C")))?;
        Ok(pretraining)
    }

    /// The trainer of a new run in `out`, or of the one there that goes on.
    fn in_folder(&self, trainer: Trainer, out: &Path) -> Trainer {
        if self.resume.is_none() {
            return trainer.with_directory(out);
        }
        let mut trainer = trainer.with_resumed(out);
        if self.restart_schedule {
            trainer = trainer.with_restarted_schedule();
        }
        if self.accept_other_data {
            trainer = trainer.with_other_data_accepted();
        }
        trainer
    }
}

/// What will watch the run, and how often.
fn monitor_in_words(pretraining: &Pretraining, data: &Splits, device: &Device) -> Result<String> {
    let Some(monitor) = pretraining.monitor(data, device)? else {
        return Ok("none".to_owned());
    };
    let every = match pretraining.config().train.monitor_every {
        MonitorEvery::Epochs(every) if every.get() > 1 => {
            format!("before training, after every {every} epochs and after the last")
        }
        _ => "before training and after each epoch".to_owned(),
    };
    Ok(format!("{}, {every}", monitor.describe()))
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
    if reasons.len() > NAMED {
        eprintln!("{} names all of them", out.join("metrics.jsonl").display());
    }
    if trained.interrupted {
        let stopped = match trained.position {
            Position { epochs: 0, steps: 0 } => "before the first step".to_owned(),
            position => format!("after {position}"),
        };
        let command = resume_command(out);
        return Err(Interrupted(format!("stopped {stopped}; go on with: {command}")).into());
    }
    if let (Some(first), Some(last)) = (summary.loss_first, summary.loss_last) {
        output.line(match summary.epochs {
            1 => format!("loss {last:.4}"),
            _ => format!("loss {first:.4} in the first epoch, {last:.4} in the last"),
        });
    }
    if summary.knn_top1.is_some() {
        let [before, after, linear] =
            [summary.knn_top1_initial, summary.knn_top1, summary.linear_probe].map(percent);
        output.line(format!(
            "kNN top-1 on test images: {before} before pretraining, {after} after it; linear probe {linear}"
        ));
    }
    if let Some(by) = &summary.linear_probe_by {
        output.line(format!("the linear probe is {by}"));
    }
    if let Some(seconds) = summary.monitor_seconds {
        output.line(format!("watching took {seconds:.1} s in all"));
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

/// The command that one usually types next.
fn next_step(settings: &RunSettings, out: &Path) -> String {
    let labelled = settings.data.labelled.is_some();
    let command = if labelled { "report" } else { "embed" };
    let ImageSource { folder, limit } = &settings.source;
    let folder = folder.as_ref().map(|folder| format!(" --data {}", quoted(folder)));
    let images = limit.filter(|_| labelled).map(|images| format!(" --images {images}"));
    let [folder, images] = [folder, images].map(Option::unwrap_or_default);
    format!("next: simclr {command} --run {}{folder}{images}", quoted(out))
}
