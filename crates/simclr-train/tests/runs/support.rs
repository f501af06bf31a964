//! Tiny runs, and what they are compared by.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering};

use burn::tensor::{Device, Tensor};
use simclr_augment::SimClrAugmentation;
use simclr_data::{BeforeReading, DataError, ImageDataset, SampleConfig, Splits};
use simclr_loss::{Temperature, TwoViewLoss};
use simclr_model::{
    ImageEncoder, ProjectionHeadConfig, ResNetConfig, ResNetDepth, Stem, module_tensors,
};
use simclr_train::{
    ImageConfig, LearningRate, LossConfig, MetricsLine, PretrainConfig, Pretraining, Progress,
    RunDirectory, TrainConfig, TrainError, Trained, Trainer, read_metrics,
};

pub(crate) fn config(epochs: usize) -> PretrainConfig {
    let mut config = PretrainConfig::small(16).unwrap();
    config.train = TrainConfig {
        seed: 3,
        epochs,
        batch_size: 8,
        learning_rate: LearningRate::unscaled(1e-2),
        loss: LossConfig::NtXent { temperature: Temperature::new(0.5).unwrap() },
        ..config.train
    };
    config.images = ImageConfig {
        encoder: ResNetConfig::new(ResNetDepth::ResNet18, 2, Stem::Cifar).into(),
        projection: ProjectionHeadConfig { output_size: 8, ..ProjectionHeadConfig::default() },
        augmentation: SimClrAugmentation::cifar10().with_size(16).unwrap().config().clone(),
        ..config.images
    };
    config
}

/// A config of so many epochs, after `change`.
pub(crate) fn changed(epochs: usize, change: impl FnOnce(&mut PretrainConfig)) -> PretrainConfig {
    let mut config = config(epochs);
    change(&mut config);
    config
}

pub(crate) fn pretraining(config: PretrainConfig) -> Pretraining {
    Pretraining::new(config).unwrap()
}

pub(crate) fn in_directory(pretraining: Pretraining, dir: &Path) -> Pretraining {
    pretraining.with_trainer(|trainer| trainer.with_directory(dir))
}

pub(crate) fn resumed(pretraining: Pretraining, dir: &Path) -> Pretraining {
    pretraining.with_trainer(|trainer| trainer.with_resumed(dir))
}

pub(crate) fn sample() -> Splits {
    Splits::sample(&SampleConfig { images: 30, size: 16, ..SampleConfig::default() }).unwrap()
}

pub(crate) fn run(
    pretraining: Pretraining,
    data: &Splits,
) -> Result<Trained<ImageEncoder>, TrainError> {
    let silent = |trainer: Trainer| trainer.with_progress(Progress::Silent);
    pretraining.with_trainer(silent).run(data, &Device::flex())
}

pub(crate) fn new_run(config: PretrainConfig, dir: &Path) -> Trained<ImageEncoder> {
    run(in_directory(pretraining(config), dir), &sample()).unwrap()
}

/// The bits of all weights and running statistics. A comparison of files would differ in their random parameter ids.
pub(crate) fn values(encoder: &ImageEncoder) -> Vec<u32> {
    let tensors = module_tensors(encoder).into_iter();
    let bits = tensors.map(|tensor| {
        let values = tensor.values().to_data_as::<f32>();
        values.iter::<f32>().map(f32::to_bits).collect::<Vec<_>>()
    });
    bits.flatten().collect()
}

/// The mean of both projections' sum: a loss that is easily recognised.
#[derive(Debug)]
pub(crate) struct Sum;

impl TwoViewLoss for Sum {
    fn forward(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
        (z_a + z_b).mean()
    }
}

/// The lines of a run's log, without speeds, and without the shape of the last batch, which a run that was interrupted
/// after it does not know.
pub(crate) fn lines(dir: &Path) -> Vec<MetricsLine> {
    let mut lines = read_metrics(&RunDirectory::open(dir).unwrap().metrics()).unwrap();
    for line in &mut lines {
        match line {
            MetricsLine::Epoch {
                images_per_second,
                waiting_share,
                representation,
                monitor,
                ..
            } => {
                (*images_per_second, *waiting_share, *representation) = (None, None, None);
                if let Some(figures) = monitor {
                    figures.seconds = 0.0;
                }
            }
            MetricsLine::Step { images_per_second, waiting_share, chunks_ready, .. } => {
                (*images_per_second, *waiting_share, *chunks_ready) = (0.0, 0.0, 0);
            }
            _ => {}
        }
    }
    lines
}

/// The images for pretraining, which can be read a number of times; then the whole set fails.
pub(crate) fn fails_after(data: &Splits, reads: isize) -> Arc<dyn ImageDataset> {
    let left = AtomicIsize::new(reads);
    Arc::new(BeforeReading::new(Arc::clone(&data.pretrain), move |index| {
        if left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            return Err(DataError::IndexOutOfRange { index, len: 0 });
        }
        Ok(())
    }))
}
