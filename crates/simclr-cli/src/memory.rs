//! How much memory a run will take, and how fast it will be: measured on a few small steps.

use std::sync::Arc;

use anyhow::Result;
use peak_alloc::PeakAlloc;
use simclr::burn::tensor::Device;
use simclr::data::{ImageDataset, Splits, Subset};
use simclr::nn::free_kept_memory;
use simclr::train::{LossConfig, PretrainConfig, Pretraining, Progress};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The most bytes that this process had in use on the host.
pub(crate) fn peak_usage() -> usize {
    ALLOCATOR.peak_usage()
}

/// The most images of a trial's step: enough to be typical, few enough to be quick.
const MOST_IMAGES: usize = 16;

/// What a run will take, as far as a few steps tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Estimate {
    /// Bytes at the peak of a step on the CPU.
    pub(crate) bytes: f64,
    /// Images (not views) learnt from in a second.
    pub(crate) images_per_second: f64,
}

/// Steps with two small numbers of images: memory grows with their number from a fixed part.
pub(crate) fn estimate(
    config: &PretrainConfig,
    images: &Arc<dyn ImageDataset>,
    device: &Device,
) -> Result<Estimate> {
    let train = &config.train;
    let at_a_time = train.chunk_size.unwrap_or(train.batch_size);
    let large = at_a_time.clamp(4, MOST_IMAGES);
    let small = large / 2;
    // One starting point for both.
    free_kept_memory();
    let before = ALLOCATOR.current_usage();
    let (small_peak, _) = trial(config, images, small, device)?;
    let (large_peak, images_per_second) = trial(config, images, large, device)?;
    // On a GPU, the images' part is not in this memory, and what is left of it here may have any sign.
    let per_image = (large_peak as f64 - small_peak as f64).max(0.0) / (large - small) as f64;
    let at_large = large_peak.saturating_sub(before) as f64;
    let bytes = at_large + per_image * (at_a_time - large.min(at_a_time)) as f64;
    // A batch in chunks takes a second forward pass: the work of four passes instead of three.
    let chunked = if at_a_time < train.batch_size { 0.75 } else { 1.0 };
    Ok(Estimate { bytes, images_per_second: chunked * images_per_second })
}

/// The most bytes in use during two steps of `batch_size` images, and their speed.
fn trial(
    config: &PretrainConfig,
    images: &Arc<dyn ImageDataset>,
    batch_size: usize,
    device: &Device,
) -> Result<(usize, f64)> {
    let mut config = config.clone();
    if let LossConfig::SupCon { temperature } = config.train.loss {
        // It costs the same, and asks these few images for no labels.
        config.train.loss = LossConfig::NtXent { temperature };
    }
    config.train.batch_size = batch_size;
    config.train.chunk_size = None;
    config.train.epochs = 1;
    config.train.steps_per_epoch = Some(2);
    config.train.warmup_epochs = 0;
    let data = Splits {
        pretrain: Arc::new(Subset::first(Arc::clone(images), 4 * batch_size)),
        labelled: None,
        description: String::new(),
        warnings: Vec::new(),
        index: None,
    };
    // What the layers have kept for results of another size would count as this trial's.
    free_kept_memory();
    ALLOCATOR.reset_peak_usage();
    let pretraining =
        Pretraining::new(config)?.with_trainer(|trainer| trainer.with_progress(Progress::Silent));
    let summary = pretraining.run(&data, device)?.summary;
    Ok((ALLOCATOR.peak_usage(), summary.images_per_second.unwrap_or(f64::NAN)))
}
