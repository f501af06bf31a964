//! The training step.

use std::time::Duration;

use anyhow::{Result, ensure};
use simclr::burn::tensor::{Device, Distribution, Tensor};
use simclr::model::{EncoderConfig, ImageEncoder, ProjectionHeadConfig, SimClr};
use simclr::train::{LossConfig, OptimizerConfig, Precision, TrainingStep, Views};

use super::loss::TEMPERATURE;
use super::speed::Speed;
use super::task::Batch;

/// Of a step, for whose time it doesn't matter.
const LEARNING_RATE: f64 = 1e-3;

/// A step of SimCLR: encoder, the usual head, NT-Xent, stochastic gradient descent with momentum.
pub(super) struct Steps {
    step: TrainingStep<ImageEncoder>,
    device: Device,
}

impl Steps {
    pub(super) fn new(
        encoder: &EncoderConfig,
        precision: Precision,
        device: &Device,
    ) -> Result<Self> {
        let device = device.clone().autodiff();
        let encoder = encoder.init(0, &device)?;
        let size = simclr::model::Encoder::feature_size(&encoder);
        let head = ProjectionHeadConfig::default().init(size, 1, &device)?;
        let loss = LossConfig::NtXent { temperature: TEMPERATURE.try_into()? };
        let optimizer = OptimizerConfig::nesterov(1e-4);
        let model = SimClr { encoder, head };
        Ok(Self { step: TrainingStep::new(model, &loss, optimizer, precision, &device)?, device })
    }

    /// One step on views `[2n, 3, size, size]`: the loss before it, `[1]`.
    pub(super) fn run(&mut self, views: &Tensor<4>) -> Result<Tensor<1>> {
        let views = Views::new(views.clone(), 2, views.dims()[0] / 2);
        Ok(self.step.run(views, LEARNING_RATE)?)
    }

    /// Two random views of each image.
    pub(super) fn random_views(&self, images: usize, size: usize) -> Tensor<4> {
        Tensor::random([2 * images, 3, size, size], Distribution::Normal(0.0, 1.0), &self.device)
    }
}

/// The time of a step.
pub(super) fn time(
    batch: &Batch,
    precision: Precision,
    limit: Duration,
    device: &Device,
    say: impl Fn(&Speed) -> Result<()>,
) -> Result<()> {
    let mut steps = Steps::new(&batch.encoder, precision, device)?;
    let views = steps.random_views(batch.images, batch.size);
    let mut loss = None;
    Speed::of(device, limit, say, || {
        loss = Some(steps.run(&views)?);
        Ok(())
    })?;
    check_finite(loss)
}

/// Reads the last result, once, after the time was taken.
pub(super) fn check_finite(result: Option<Tensor<1>>) -> Result<()> {
    let value = result.map_or(f64::NAN, Tensor::into_scalar::<f64>);
    ensure!(value.is_finite(), "expected a finite result, found {value}");
    Ok(())
}
