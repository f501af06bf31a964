//! The parts of an examination, one after the other, each in a process of its own and within its share of the time.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde::de::DeserializeOwned;
use simclr::train::{DeviceDescription, Precision};

use super::examined::{
    Done, Embedding, Examined, LargestBatch, Loss, Machine, Parity, Training, per_second,
};
use super::largest_batch::{Fits, Limit};
use super::outcome::{Fault, Outcome};
use super::parity::{Finding, check_names};
use super::process::{self, Said};
use super::sizes::Sizes;
use super::speed::Speed;
use super::task::{Batch, Part, Task};
use super::{loss, table};
use crate::bar::while_waiting;
use crate::output::Output;

/// Comparing with the CPU takes at most this. A software driver compiles and tries kernels on the CPU, which takes longer.
const PARITY_LIMIT: Duration = Duration::from_mins(1);
const PARITY_LIMIT_OF_SOFTWARE: Duration = Duration::from_mins(5);

/// The parts' shares of the time that is left. The comparison may take half, and leaves to the others what it doesn't
/// need. Of those, a training step has the most kernels to compile and to choose.
mod share {
    pub(super) const PARITY: f64 = 12.5;
    pub(super) const LARGEST_BATCH: f64 = 2.0;
    pub(super) const TRAINING: f64 = 4.0;
    pub(super) const EMBEDDING: f64 = 2.0;
    pub(super) const LOSS: f64 = 0.5;
}

pub(super) struct Examination {
    device: String,
    sizes: Sizes,
    started: Instant,
    /// The shares of the parts that are not done.
    shares: f64,
}

impl Examination {
    pub(super) fn new(device: &str, sizes: Sizes) -> Self {
        let searching = if sizes.finds_largest { share::LARGEST_BATCH } else { 0.0 };
        let losses = share::LOSS * sizes.loss_n.len() as f64;
        let shares = share::PARITY + searching + 2.0 * share::TRAINING + share::EMBEDDING + losses;
        Self { device: device.to_owned(), sizes, started: Instant::now(), shares }
    }

    pub(super) fn run(mut self, device: DeviceDescription, output: &Output) -> Result<Examined> {
        let parity = self.parity(&device)?;
        output.text(&table::parity(&parity));
        // Before the others, whose batches are not larger.
        let largest_batch = self.largest_batch()?;
        let images = match &largest_batch {
            Outcome::Ok(largest) => largest.images.min(self.sizes.batch_size),
            _ => self.sizes.batch_size,
        };
        let mut training = vec![self.training(images, Precision::F32)?];
        training.push(match sixteen_bits(&device) {
            Some(precision) => self.training(images, precision)?,
            None => unsupported(images),
        });
        let embedding = self.embedding(images)?;
        let loss_n = self.sizes.loss_n.clone();
        let loss = loss_n.into_iter().map(|n| self.loss(n)).collect::<Result<_>>()?;
        Ok(Examined {
            doctor: 1,
            simclr: env!("CARGO_PKG_VERSION"),
            machine: Machine::this(),
            device,
            encoder: self.sizes.encoder.clone(),
            size: self.sizes.size,
            batch_size: self.sizes.batch_size,
            parity,
            largest_batch,
            training,
            embedding,
            loss,
            seconds: self.started.elapsed().as_secs_f64(),
        })
    }

    fn parity(&mut self, device: &DeviceDescription) -> Result<Parity> {
        let is_software = device.adapter.is_some() && !device.is_gpu;
        let most = if is_software { PARITY_LIMIT_OF_SOFTWARE } else { PARITY_LIMIT };
        let limit = self.limit(share::PARITY).min(most);
        let said = self.process("comparing with the CPU", limit, Part::Parity)?;
        let (mut products, mut checks) = (None, Vec::new());
        for finding in said.results {
            match finding {
                Finding::Products(found) => products = Some(found),
                Finding::Check(compared) => checks.push(compared),
            }
        }
        let all_done = said.fault.is_none() && checks.len() == check_names().count();
        let outcome = match (said.fault, check_names().nth(checks.len())) {
            (Some(fault), Some(check)) => fault.during(check).into(),
            (Some(fault), None) => fault.into(),
            (None, _) => Outcome::Ok(Done {}),
        };
        let passes = all_done && checks.iter().all(|check| check.passes);
        Ok(Parity { passes, products, checks, outcome })
    }

    /// Doubles from the batch that was asked for, or halves it if that doesn't fit.
    fn largest_batch(&mut self) -> Result<Outcome<LargestBatch>> {
        if !self.sizes.finds_largest {
            return Ok(Outcome::Skipped { reason: "not looked for".to_owned() });
        }
        let deadline = Instant::now() + self.limit(share::LARGEST_BATCH);
        let mut images = self.sizes.batch_size;
        loop {
            let part = Part::LargestBatch { batch: self.batch(images) };
            let limit = deadline.saturating_duration_since(Instant::now());
            let said: Said<Fits> = self.process("looking for the largest batch", limit, part)?;
            let Some(largest) = said.results.last() else {
                match said.fault {
                    Some(Fault::OutOfMemory(_)) if images > 1 => images /= 2,
                    Some(fault) => return Ok(fault.into()),
                    None => return Ok(Fault::Failed("it said nothing".to_owned()).into()),
                }
                continue;
            };
            let limited_by = match (largest.stopped_by, said.fault) {
                (Some(limit), _) => limit,
                (None, Some(Fault::OutOfTime(_))) => Limit::Time,
                (None, Some(Fault::OutOfMemory(_)) | None) => Limit::Memory,
                (None, Some(fault @ Fault::Failed(_))) => return Ok(fault.into()),
            };
            return Ok(Outcome::Ok(LargestBatch { images: largest.images, limited_by }));
        }
    }

    fn training(&mut self, images: usize, precision: Precision) -> Result<Training> {
        let part = Part::Training { batch: self.batch(images), precision };
        let outcome = self.speed("timing the training step", share::TRAINING, part)?;
        let images_per_second = per_second(images, &outcome);
        Ok(Training { precision, images, images_per_second, outcome })
    }

    fn embedding(&mut self, images: usize) -> Result<Embedding> {
        let part = Part::Embedding { batch: self.batch(images) };
        let outcome = self.speed("timing embedding", share::EMBEDDING, part)?;
        Ok(Embedding { images, images_per_second: per_second(images, &outcome), outcome })
    }

    fn loss(&mut self, n: usize) -> Result<Loss> {
        let outcome = self.speed("timing the loss", share::LOSS, Part::Loss { n })?;
        Ok(Loss { n, d: loss::D, outcome })
    }

    fn batch(&self, images: usize) -> Batch {
        Batch { encoder: self.sizes.encoder.clone(), size: self.sizes.size, images }
    }

    fn speed(&mut self, what: &'static str, share: f64, part: Part) -> Result<Outcome<Speed>> {
        let said: Said<Speed> = self.part(what, share, part)?;
        Ok(match (said.results.into_iter().next_back(), said.fault) {
            // The time was enough for a rough measurement at least.
            (Some(speed), None | Some(Fault::OutOfTime(_))) => Outcome::Ok(speed),
            (_, Some(fault)) => fault.into(),
            (None, None) => Outcome::Failed { reason: "it said nothing".to_owned() },
        })
    }

    /// Does a part within its share of the time that is left.
    fn part<T: DeserializeOwned>(
        &mut self,
        what: &'static str,
        share: f64,
        part: Part,
    ) -> Result<Said<T>> {
        let limit = self.limit(share);
        self.process(what, limit, part)
    }

    fn process<T: DeserializeOwned>(
        &self,
        what: &'static str,
        limit: Duration,
        part: Part,
    ) -> Result<Said<T>> {
        let task = Task { device: self.device.clone(), part, limit };
        while_waiting(what, || process::run(&task))
    }

    fn limit(&mut self, share: f64) -> Duration {
        let left = self.sizes.time_limit.saturating_sub(self.started.elapsed());
        let limit = left.mul_f64((share / self.shares).min(1.0));
        self.shares -= share;
        limit
    }
}

/// The 16-bit numbers that the device computes with: bf16 needs no scaling of the loss.
fn sixteen_bits(device: &DeviceDescription) -> Option<Precision> {
    let formats = [(device.bf16, Precision::Bf16), (device.f16, Precision::F16)];
    formats.into_iter().find_map(|(supported, precision)| supported.then_some(precision))
}

fn unsupported(images: usize) -> Training {
    let reason = "the device computes in neither bf16 nor f16".to_owned();
    let outcome = Outcome::Unsupported { reason };
    Training { precision: Precision::Bf16, images, images_per_second: None, outcome }
}
