//! The largest batch of a training step that fits.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use simclr::burn::tensor::Device;
use simclr::train::{DeviceDescription, Precision};

use super::task::Batch;
use super::training::{Steps, check_finite};
use crate::memory::peak_usage;

/// No larger batch is tried, nor published.
const MOST_IMAGES: usize = 65_536;
/// The share of the host's memory that a step may take there.
const SHARE_OF_HOST: f64 = 0.8;

/// A batch that fits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Fits {
    pub(super) images: usize,
    /// Why no larger one was tried, if the process knows; if not, the next one ended it.
    pub(super) stopped_by: Option<Limit>,
}

/// What keeps a batch from being larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Limit {
    /// Twice the images don't fit.
    Memory,
    /// Twice the images take longer than was left.
    Time,
    /// Nobody wants larger ones.
    Size,
}

/// Doubles the batch until it doesn't fit, and says each one that does. A step on a batch that doesn't may end the
/// process.
pub(super) fn find(
    batch: &Batch,
    limit: Duration,
    device: &Device,
    say: impl Fn(&Fits) -> Result<()>,
) -> Result<()> {
    let started = Instant::now();
    let on_host = !DeviceDescription::of(device).is_gpu;
    let mut steps = Steps::new(&batch.encoder, Precision::F32, device)?;
    let mut images = batch.images;
    loop {
        let step_started = Instant::now();
        let views = steps.random_views(images, batch.size);
        check_finite(Some(steps.run(&views)?))?;
        drop(views);
        let next = 2.0 * step_started.elapsed().as_secs_f64();
        let left = 0.9 * limit.as_secs_f64() - started.elapsed().as_secs_f64();
        let stopped_by = if on_host && !fits_on_host(2 * peak_usage()) {
            Some(Limit::Memory)
        } else if next > left {
            Some(Limit::Time)
        } else {
            (2 * images > MOST_IMAGES).then_some(Limit::Size)
        };
        say(&Fits { images, stopped_by })?;
        if stopped_by.is_some() {
            return Ok(());
        }
        images *= 2;
    }
}

/// Whether the host has room for so many bytes, beside what other programs use. It is known on Linux; elsewhere the
/// time is the limit.
fn fits_on_host(bytes: usize) -> bool {
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
    available.is_none_or(|kib| (bytes as f64) < SHARE_OF_HOST * 1024.0 * kib)
}
