//! `simclr pretrain`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::Args;
use serde_json::{Value, json};
use simclr::data::Splits;
use simclr::model::ImageEncoder;
use simclr::train::{
    PretrainConfig, Pretrained, Pretraining, Progress, RangeTest, RunDirectory, device_from_name,
};

use crate::config_args::{ConfigArgs, PeakRate};
use crate::config_layers::ConfigFile;
use crate::data_args::DataArgs;
use crate::failure::{Interrupted, usage};
use crate::interrupt::on_ctrl_c;
use crate::memory::estimate;
use crate::output::{Output, print_skipped};
use crate::plan::Plan;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: DataArgs,
    /// Folder for the run, new or empty [default: the first free of runs/1, runs/2, ...]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Continue the run in DIR after its last checkpoint, on the same --data; of the other values only
    /// --epochs may change
    #[arg(long, value_name = "DIR", conflicts_with_all = ["config", "preset", "weights", "dry_run"])]
    resume: Option<PathBuf>,
    /// Say what the run would do, and what memory and time it would take, and stop there
    #[arg(long)]
    dry_run: bool,
    /// Start from these weights of simclr, torchvision or timm (safetensors, .pth, .pt) instead of
    /// random ones
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// flex (the CPU), ndarray, wgpu, wgpu:N, vulkan, metal, cuda:N, remote:ID@ADDRESS:PORT, as far as
    /// they are built in; several, with commas, share each batch [default: flex]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What a run needs beside its config.
struct Setting {
    data: Splits,
    device: Device,
    more_devices: Vec<Device>,
    device_name: String,
    out: PathBuf,
}

impl Arguments {
    pub(crate) fn run(&self, output: &Output) -> Result<()> {
        let file = self.config.file()?;
        let setting = self.setting(&file)?;
        let config = match &self.resume {
            Some(dir) => self.resumed_config(dir)?,
            None => self.config.resolve(&file, setting.data.pretrain.as_ref())?,
        };
        if self.dry_run {
            return self.plan(&config, &setting, output);
        }
        let pretraining = self.pretraining(config, &setting, output)?;
        let config = pretraining.config().clone();
        output.line(&setting.data.description);
        output.line(config.describe(setting.data.pretrain.len(), &setting.device)?);
        output.line(format!("run directory: {}", setting.out.display()));
        let pretrained = pretraining.run(&setting.data, &setting.device)?;
        finish(&pretrained, &setting, output)
    }

    fn setting(&self, file: &ConfigFile) -> Result<Setting> {
        let device_name = self.device.clone().or_else(|| file.device.clone());
        let device_name = device_name.unwrap_or_else(|| "flex".to_owned());
        let devices =
            device_name.split(',').map(device_from_name).collect::<Result<Vec<_>, _>>()?;
        let (device, more_devices) = devices.split_first().context("expected a device")?;
        let out = self.resume.clone().or_else(|| self.out.clone());
        let out = out.or_else(|| file.out.as_ref().map(PathBuf::from));
        Ok(Setting {
            data: self.data.open_or(file.data.as_ref().map(PathBuf::from))?,
            device: device.clone(),
            more_devices: more_devices.to_vec(),
            device_name,
            out: out.map_or_else(free_run_dir, Ok)?,
        })
    }

    fn resumed_config(&self, dir: &Path) -> Result<PretrainConfig> {
        let mut config = RunDirectory::open(dir)?.config()?.pretrain;
        config.epochs = self.config.epochs().unwrap_or(config.epochs);
        Ok(config)
    }

    fn plan(&self, config: &PretrainConfig, setting: &Setting, output: &Output) -> Result<()> {
        let images = &setting.data.pretrain;
        let description = config.describe(images.len(), &setting.device)?;
        let plan = Plan {
            config,
            description,
            data: &setting.data,
            out: &setting.out,
            device: &setting.device_name,
            estimate: estimate(config, images, &setting.device)?,
        };
        output.line(&plan);
        if self.config.learning_rate == Some(PeakRate::Auto) {
            output.line("the learning rate would be chosen by a range test first");
        }
        output.result(&plan.json());
        Ok(())
    }

    fn pretraining(
        &self,
        config: PretrainConfig,
        setting: &Setting,
        output: &Output,
    ) -> Result<Pretraining> {
        let progress = if output.is_json() { Progress::Lines } else { Progress::Auto };
        let pretraining = Pretraining::new(config)
            .with_more_devices(&setting.more_devices)
            .with_progress(progress);
        let pretraining = match &self.resume {
            Some(_) => pretraining.resume(&setting.out),
            None => pretraining.in_directory(&setting.out),
        };
        let pretraining = match &self.weights {
            Some(weights) => pretraining.with_weights(weights),
            None => pretraining,
        };
        let interrupter = pretraining.interrupter();
        on_ctrl_c(move || interrupter.stop(Some("Ctrl-C")))?;
        if self.config.learning_rate != Some(PeakRate::Auto) {
            return Ok(pretraining);
        }
        if self.resume.is_some() {
            return Err(usage(
                "expected no `--lr auto` with --resume: a run keeps its learning rate",
            ));
        }
        output.line("trying learning rates");
        let test = RangeTest::default();
        let curve = pretraining.range_test(test, &setting.data, &setting.device)?;
        Ok(pretraining.with_suggested_rate(curve)?)
    }
}

/// Says how the run ended.
fn finish(pretrained: &Pretrained<ImageEncoder>, setting: &Setting, output: &Output) -> Result<()> {
    let (summary, out) = (&pretrained.summary, setting.out.display());
    let reasons: Vec<&String> = pretrained.skipped.iter().map(|skipped| &skipped.reason).collect();
    print_skipped(&reasons);
    if pretrained.interrupted && summary.epochs == 0 {
        let message = "stopped in the first epoch, before there was a checkpoint to continue from";
        return Err(Interrupted(message.to_owned()).into());
    }
    if pretrained.interrupted {
        let epoch = summary.epochs;
        let message = format!("stopped after epoch {epoch}; continue with --resume {out}");
        return Err(Interrupted(message).into());
    }
    let percent = |share: Option<f64>| {
        share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
    };
    if let (Some(first), Some(last)) = (summary.loss_first, summary.loss_last) {
        output.line(format!("loss {first:.4} in the first epoch, {last:.4} in the last"));
    }
    if summary.knn_top1.is_some() {
        output.line(format!(
            "kNN top-1 of held-out images: {} with random weights, {} after pretraining; linear probe {}",
            percent(summary.knn_top1_initial),
            percent(summary.knn_top1),
            percent(summary.linear_probe)
        ));
    }
    output.line(format!("encoder: {}", setting.out.join("encoder.safetensors").display()));
    output.line(next_steps(setting));
    let mut result = serde_json::to_value(summary)?;
    if let Value::Object(result) = &mut result {
        result.insert("run".to_owned(), json!(setting.out.display().to_string()));
    }
    output.result(&result);
    Ok(())
}

/// What one does with a run.
fn next_steps(setting: &Setting) -> String {
    let run = setting.out.display();
    let eval = if setting.data.labelled.is_some() { "report" } else { "embed" };
    format!("next: simclr {eval} --run {run} --data DIR")
}

/// The first of runs/1, runs/2, ... that does not exist.
fn free_run_dir() -> Result<PathBuf> {
    let free =
        (1..10_000).map(|number| PathBuf::from(format!("runs/{number}"))).find(|dir| !dir.exists());
    free.context("expected a free name below runs/, found 9999 runs")
}
