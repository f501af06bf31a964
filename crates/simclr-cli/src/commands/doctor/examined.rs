//! All that an examination found: its JSON form is what people paste into an issue. `docs/gpu.md` names the fields.

use anyhow::Result;
use serde::Serialize;
use simclr::model::EncoderConfig;
use simclr::train::{DeviceDescription, Precision};

use super::largest_batch::Limit;
use super::outcome::Outcome;
use super::parity::{Compared, Products};
use super::speed::Speed;
use crate::failure::Unfit;

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Examined {
    /// The version of this form.
    pub(super) doctor: u32,
    /// The version of simclr.
    pub(super) simclr: &'static str,
    pub(super) machine: Machine,
    pub(super) device: DeviceDescription,
    pub(super) encoder: EncoderConfig,
    /// Pixels of a side.
    pub(super) size: usize,
    /// Images in a step, as asked for.
    pub(super) batch_size: usize,
    pub(super) parity: Parity,
    pub(super) largest_batch: Outcome<LargestBatch>,
    pub(super) training: Vec<Training>,
    pub(super) embedding: Embedding,
    pub(super) loss: Vec<Loss>,
    /// Seconds that all took.
    pub(super) seconds: f64,
}

#[derive(Debug, Serialize)]
pub(super) struct Machine {
    os: &'static str,
    arch: &'static str,
    threads: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct Parity {
    pub(super) passes: bool,
    /// `None` if the process ended before.
    pub(super) products: Option<Products>,
    pub(super) checks: Vec<Compared>,
    /// What became of the checks as a whole.
    #[serde(flatten)]
    pub(super) outcome: Outcome<Done>,
}

/// Nothing more to say.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Done {}

#[derive(Debug, Clone, Serialize)]
pub(super) struct LargestBatch {
    /// Images that fit in a step in f32.
    pub(super) images: usize,
    /// What keeps it from being twice as large.
    pub(super) limited_by: Limit,
}

#[derive(Debug, Serialize)]
pub(super) struct Training {
    pub(super) precision: Precision,
    /// Images in the step.
    pub(super) images: usize,
    pub(super) images_per_second: Option<f64>,
    #[serde(flatten)]
    pub(super) outcome: Outcome<Speed>,
}

#[derive(Debug, Serialize)]
pub(super) struct Embedding {
    /// Images in the batch.
    pub(super) images: usize,
    pub(super) images_per_second: Option<f64>,
    #[serde(flatten)]
    pub(super) outcome: Outcome<Speed>,
}

#[derive(Debug, Serialize)]
pub(super) struct Loss {
    /// Images, in two views each.
    pub(super) n: usize,
    /// Length of a projection.
    pub(super) d: usize,
    #[serde(flatten)]
    pub(super) outcome: Outcome<Speed>,
}

impl Machine {
    pub(super) fn this() -> Self {
        Self {
            os: std::env::consts::OS,
            arch: std::env::consts::ARCH,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// Images a second, where a repetition of `speed` takes so many.
pub(super) fn per_second(images: usize, speed: &Outcome<Speed>) -> Option<f64> {
    match speed {
        Outcome::Ok(speed) => Some(images as f64 / speed.seconds),
        _ => None,
    }
}

impl Examined {
    /// An error that names what is wrong with the device, if anything is. What takes too long or too much memory is not.
    pub(super) fn verdict(&self) -> Result<()> {
        let of_checks = self.parity.checks.iter().filter(|check| !check.passes).map(|check| {
            format!("{} differs from the CPU's by {}", check.check, difference(check))
        });
        let mut wrong: Vec<String> = of_checks.collect();
        if wrong.is_empty() && !self.parity.passes {
            let reason = self.parity.outcome.in_words(|_| String::new());
            wrong.push(format!("the comparison with the CPU did not end: {reason}"));
        }
        let parts = self
            .training
            .iter()
            .map(|row| (format!("training in {}", row.precision), &row.outcome));
        let parts = parts.chain([("embedding".to_owned(), &self.embedding.outcome)]);
        let parts = parts
            .chain(self.loss.iter().map(|row| (format!("NT-Xent at n = {}", row.n), &row.outcome)));
        wrong.extend(parts.filter_map(|(part, outcome)| match outcome {
            Outcome::Failed { reason } => Some(format!("{part} failed: {reason}")),
            _ => None,
        }));
        if let Outcome::Failed { reason } = &self.largest_batch {
            wrong.push(format!("the search for the largest batch failed: {reason}"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(Unfit(wrong.join("; ")).into()) }
    }
}

/// The difference that a check found, and the one that is allowed.
pub(super) fn difference(check: &Compared) -> String {
    let tolerance = check.tolerance;
    match check.difference {
        Some(difference) if difference <= 0.0 => "no difference".to_owned(),
        Some(difference) => {
            format!("{difference:.1e} of the largest number, {tolerance:.0e} is allowed")
        }
        None => format!("NaN or infinity, {tolerance:.0e} is allowed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Kind, kind};
    use simclr::burn::tensor::Device;

    fn examined(passes: bool, training: Outcome<Speed>) -> Examined {
        let skipped = || Outcome::Skipped { reason: "not looked for".to_owned() };
        let check = Compared {
            check: "matrix product".to_owned(),
            difference: Some(if passes { 1e-7 } else { 0.3 }),
            tolerance: 1e-5,
            passes,
        };
        let images_per_second = per_second(8, &training);
        Examined {
            doctor: 1,
            simclr: "0",
            machine: Machine::this(),
            device: DeviceDescription::of(&Device::flex()),
            encoder: "resnet18".parse().unwrap(),
            size: 64,
            batch_size: 8,
            parity: Parity {
                passes,
                products: Some(Products::F32),
                checks: vec![check],
                outcome: Outcome::Ok(Done {}),
            },
            largest_batch: skipped(),
            training: vec![Training {
                precision: Precision::F32,
                images: 8,
                images_per_second,
                outcome: training,
            }],
            embedding: Embedding { images: 8, images_per_second: None, outcome: skipped_speed() },
            loss: Vec::new(),
            seconds: 1.0,
        }
    }

    fn skipped_speed() -> Outcome<Speed> {
        Outcome::OutOfTime { reason: "stopped after 1 s".to_owned() }
    }

    #[test]
    fn a_device_that_differs_or_fails_is_unfit_and_a_slow_or_small_one_is_not() {
        let reason = || "no room".to_owned();
        let small = || Outcome::OutOfMemory { reason: reason() };
        examined(true, small()).verdict().unwrap();
        for (unfit, words) in [
            (examined(false, small()), "matrix product differs from the CPU's by 3.0e-1"),
            (
                examined(true, Outcome::Failed { reason: reason() }),
                "training in f32 failed: no room",
            ),
        ] {
            let error = unfit.verdict().unwrap_err();
            assert_eq!(kind(&error), Kind::Other);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
