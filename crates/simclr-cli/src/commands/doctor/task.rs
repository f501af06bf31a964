//! A part of the examination, as its process is told.

use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};
use simclr::model::EncoderConfig;
use simclr::train::{Precision, device_from_name};

use super::{embedding, largest_batch, loss, parity, training};

/// What a process of its own does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Task {
    /// The device's name.
    pub(super) device: String,
    pub(super) part: Part,
    /// The process is stopped after this time.
    pub(super) limit: Duration,
}

/// A part of the examination.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Part {
    /// Results on the device, compared with those on the CPU.
    Parity,
    /// The largest batch of a training step that fits, from `batch.images` on.
    LargestBatch { batch: Batch },
    /// The time of a training step.
    Training { batch: Batch, precision: Precision },
    /// The time of embedding a batch.
    Embedding { batch: Batch },
    /// The time of NT-Xent for `n` images, forward and backward.
    Loss { n: usize },
}

/// A network and a batch for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Batch {
    pub(super) encoder: EncoderConfig,
    /// Pixels of a side.
    pub(super) size: usize,
    pub(super) images: usize,
}

impl Task {
    /// Does the part in this process. What it finds is on the standard output, one JSON object a line.
    pub(super) fn run(&self) -> Result<()> {
        let device = device_from_name(&self.device)?;
        match &self.part {
            Part::Parity => parity::compare(&self.device, &device, say),
            Part::LargestBatch { batch } => largest_batch::find(batch, self.limit, &device, say),
            Part::Training { batch, precision } => {
                training::time(batch, *precision, self.limit, &device, say)
            }
            Part::Embedding { batch } => embedding::time(batch, self.limit, &device, say),
            Part::Loss { n } => loss::time(*n, self.limit, &device, say),
        }
    }
}

/// Tells the process that waits.
fn say<T: Serialize>(result: &T) -> Result<()> {
    println!("{}", serde_json::to_string(result)?);
    Ok(())
}
