//! An epoch of SimCLR on CIFAR-10, views included: seconds, as one JSON line.
//!
//! ```text
//! cargo bench --workspace --bench pretrain -- FOLDER 16 10000 256   CIFAR-10's binary files, width, images, batch
//! ```
//!
//! Without arguments there is nothing to do. `benches/peers/pretrain.py` is the same epoch in PyTorch.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use burn::tensor::Device;
use serde_json::json;
use simclr::data::{Cifar10, Cifar10Split, Splits, Subset};
use simclr::loss::Temperature;
use simclr::model::{ResNetConfig, ResNetDepth, Stem};
use simclr::train::{
    LearningRate, LossConfig, OptimizerConfig, Pretraining, Progress, Recipe, TrainConfig, Trainer,
};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.as_slice() {
        [] => Ok(()),
        [folder, width, images, batch] => {
            epoch(Path::new(folder), width.parse()?, images.parse()?, batch.parse()?)
        }
        _ => anyhow::bail!("expected FOLDER WIDTH IMAGES BATCH"),
    }
}

fn epoch(folder: &Path, width: usize, images: usize, batch_size: usize) -> anyhow::Result<()> {
    let all = Arc::new(Cifar10::open(folder, Cifar10Split::Train)?);
    let data = Splits {
        pretrain: Arc::new(Subset::first(all, images)),
        labelled: None,
        description: format!("the first {images} training images of CIFAR-10"),
        warnings: Vec::new(),
        index: None,
    };
    let mut config = Recipe::Cifar10Google.config();
    config.train = TrainConfig {
        epochs: 1,
        batch_size,
        learning_rate: LearningRate::unscaled(1e-3),
        warmup_epochs: 0,
        loss: LossConfig::NtXent { temperature: Temperature::new(0.2)? },
        optimizer: OptimizerConfig::adamw(1e-4),
        ..config.train
    };
    config.images.encoder = ResNetConfig::new(ResNetDepth::ResNet18, width, Stem::Cifar).into();
    let silent = |trainer: Trainer| trainer.with_progress(Progress::Silent);
    let run = Pretraining::new(config)?.with_trainer(silent);
    let summary = run.run(&data, &Device::flex())?.summary;
    let learnt = images / batch_size * batch_size;
    let rate = summary.images_per_second.context("an epoch has a rate")?;
    let seconds = learnt as f64 / rate;
    println!("{}", json!({ "seconds": seconds, "loss": summary.loss_last }));
    Ok(())
}
