//! Whole training steps on each backend, against the same steps on flex.

use burn::tensor::{Device, Tensor};
use simclr::augment::SimClrAugmentation;
use simclr::data::{SampleConfig, Splits};
use simclr::model::{Encoder, ProjectionHeadConfig, ResNetConfig, ResNetDepth, Stem};
use simclr::train::{
    LearningRate, MetricsLine, OptimizerConfig, PretrainConfig, Pretraining, Progress, Recipe,
    RunDirectory, read_metrics,
};

use crate::backends::{Case, compare};

pub(crate) const CASES: &[Case] = &[
    Case { name: "a_new_encoders_features_match_flex", run: features },
    Case { name: "the_losses_of_the_first_steps_match_flex", run: first_steps },
];

fn features(device: &Device) -> Result<(), String> {
    let encode = |device: &Device| -> Vec<f64> {
        let config = ResNetConfig { depth: ResNetDepth::ResNet50, width: 2, stem: Stem::Standard };
        let encoder = config.init(5, device).expect("a valid config");
        let ramp = Tensor::<1, burn::tensor::Int>::arange(0..2 * 3 * 24 * 24, device).float();
        let images = (ramp * 0.37).sin().reshape([2, 3, 24, 24]);
        encoder.encode(images).to_data_as::<f64>().iter::<f64>().collect()
    };
    // 50 layers of f32 sums in another order.
    compare("features", &encode(device), &encode(&Device::flex()), 1e-4)
}

fn first_steps(device: &Device) -> Result<(), String> {
    let (found, expected) = (losses(device)?, losses(&Device::flex())?);
    // The first step sees the same weights; each further one what rounding made of the one before.
    compare("first step's loss", &found[..1], &expected[..1], 1e-4)?;
    compare("losses", &found, &expected, 1e-2)
}

/// The losses of three steps on the sample.
fn losses(device: &Device) -> Result<Vec<f64>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let sample = SampleConfig { images: 24, size: 16, ..SampleConfig::default() };
    let data = Splits::sample(&sample).map_err(|error| error.to_string())?;
    let config = PretrainConfig {
        seed: 1,
        epochs: 1,
        batch_size: 8,
        learning_rate: LearningRate::unscaled(1e-3),
        warmup_epochs: 0,
        optimizer: OptimizerConfig::adamw(1e-4),
        encoder: ResNetConfig { depth: ResNetDepth::ResNet18, width: 2, stem: Stem::Cifar },
        projection: ProjectionHeadConfig { output_size: 8, ..ProjectionHeadConfig::default() },
        augmentation: SimClrAugmentation::cifar10()
            .with_size(16)
            .map_err(|error| error.to_string())?
            .config()
            .clone(),
        ..Recipe::Cifar10Google.config()
    };
    let dir = folder.path().join("run");
    Pretraining::new(config)
        .with_progress(Progress::Silent)
        .in_directory(&dir)
        .run(&Splits { labelled: None, ..data }, device)
        .map_err(|error| error.to_string())?;
    let run = RunDirectory::open(&dir).map_err(|error| error.to_string())?;
    let lines = read_metrics(&run.metrics()).map_err(|error| error.to_string())?;
    let losses = lines.iter().filter_map(|line| match line {
        MetricsLine::Step { loss, .. } => *loss,
        _ => None,
    });
    Ok(losses.collect())
}
