//! How much memory a run will take, and how long: from a few small steps of it.

use std::sync::Arc;

use anyhow::Result;
use burn::tensor::Device;
use peak_alloc::PeakAlloc;
use simclr::data::{ImageDataset, Splits, Subset};
use simclr::train::{PretrainConfig, Pretraining, Progress};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

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

/// Steps with two small numbers of images: what a step takes grows with their number from a fixed part.
pub(crate) fn estimate(
    config: &PretrainConfig,
    images: &Arc<dyn ImageDataset>,
    device: &Device,
) -> Result<Estimate> {
    let at_a_time = config.chunk_size.unwrap_or(config.batch_size);
    let large = at_a_time.clamp(4, MOST_IMAGES);
    let small = large / 2;
    let (small_bytes, _) = trial(config, images, small, device)?;
    let (large_bytes, images_per_second) = trial(config, images, large, device)?;
    let per_image = (large_bytes - small_bytes) / (large - small) as f64;
    let bytes = large_bytes + per_image * (at_a_time - large.min(at_a_time)) as f64;
    // A second forward pass where a batch is cut in chunks: four passes' work instead of three.
    let chunked = if at_a_time < config.batch_size { 0.75 } else { 1.0 };
    Ok(Estimate { bytes, images_per_second: chunked * images_per_second })
}

/// Peak bytes and speed of two steps of `batch_size` images.
fn trial(
    config: &PretrainConfig,
    images: &Arc<dyn ImageDataset>,
    batch_size: usize,
    device: &Device,
) -> Result<(f64, f64)> {
    let config = PretrainConfig {
        batch_size,
        chunk_size: None,
        epochs: 1,
        steps_per_epoch: Some(2),
        warmup_epochs: 0,
        ..config.clone()
    };
    let data = Splits {
        pretrain: Arc::new(Subset::first(Arc::clone(images), 4 * batch_size)),
        labelled: None,
        description: String::new(),
    };
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    let pretraining = Pretraining::new(config).with_progress(Progress::Silent);
    let summary = pretraining.run(&data, device)?.summary;
    let peak = ALLOCATOR.peak_usage().saturating_sub(before);
    Ok((peak as f64, summary.images_per_second.unwrap_or(f64::NAN)))
}
