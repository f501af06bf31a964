//! What a quarter of an hour on two cores can learn from 10,000 images of CIFAR-10: two recipes with the same
//! number of views, over any seed.
//!
//! ```sh
//! cargo run --release --example cifar10_recipes -- --data DIR --recipe reference --seed 0
//! cargo run --release --example cifar10_recipes -- --data DIR --recipe small-batches --seed 0
//! ```
//!
//! DIR holds CIFAR-10's binary files (`data_batch_1.bin` and so on). What to expect is in
//! `docs/reproducing.md`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use simclr::augment::CropConfig;
use simclr::data::Splits;
use simclr::loss::Temperature;
use simclr::train::{
    LearningRate, LossConfig, OptimizerConfig, PretrainConfig, Pretraining, Recipe as Published,
    TrainConfig, device_from_name,
};

/// Images to pretrain on, which are also the labelled ones; a fifth as many of the test split are held out.
const IMAGES: usize = 10_000;

/// Pretrain a small encoder on CIFAR-10 and evaluate it.
#[derive(Parser)]
#[command(about, long_about = None)]
struct Options {
    /// Folder of CIFAR-10's binary files
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Which recipe
    #[arg(long, value_enum, default_value_t = Recipe::Reference)]
    recipe: Recipe,
    /// Seed of weights, order and views
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Folder for the run, new or empty [default: runs/cifar10-RECIPE-SEED]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where to train
    #[arg(long, value_name = "NAME", default_value = "flex")]
    device: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Recipe {
    /// Batches of 256, `AdamW` at 1e-3
    Reference,
    /// Batches of 64, `AdamW` at 2e-3: four times the steps
    SmallBatches,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let device = device_from_name(&options.device)?;
    let data = Splits::open(&options.data)?.limited_to(IMAGES)?;
    let mut config = config(options.recipe)?;
    config.train.seed = options.seed;
    println!("{}", config.describe(data.pretrain.len(), &device)?);
    let out = options.out.unwrap_or_else(|| {
        let recipe = options.recipe.to_possible_value().expect("no recipe is hidden");
        PathBuf::from(format!("runs/cifar10-{}-{}", recipe.get_name(), options.seed))
    });
    let pretrained = Pretraining::new(config)?
        .with_trainer(|trainer| trainer.with_directory(&out))
        .run(&data, &device)?;

    let summary = &pretrained.summary;
    let percent = |share: Option<f64>| share.map_or(f64::NAN, |share| 100.0 * share);
    println!(
        "kNN top-1: random weights {:.1} %, after pretraining {:.1} %",
        percent(summary.knn_top1_initial),
        percent(summary.knn_top1)
    );
    println!("linear probe: {:.1} %", percent(summary.linear_probe));
    Ok(())
}

fn config(recipe: Recipe) -> Result<PretrainConfig> {
    let crop = CropConfig { area: [0.2, 1.0], ..CropConfig::TORCHVISION };
    let mut config = Published::Cifar10Google.config();
    let (batch_size, rate) = match recipe {
        Recipe::Reference => (256, 1e-3),
        Recipe::SmallBatches => (64, 2e-3),
    };
    config.train = TrainConfig {
        epochs: 20,
        batch_size,
        learning_rate: LearningRate::unscaled(rate),
        warmup_epochs: 1,
        loss: LossConfig::NtXent { temperature: Temperature::new(0.2)? },
        optimizer: OptimizerConfig::adamw(1e-4),
        ..config.train
    };
    config.images.encoder = "resnet18x0.25_cifar_gamma1".parse()?;
    config.images.augmentation.crop = crop;
    Ok(config)
}
