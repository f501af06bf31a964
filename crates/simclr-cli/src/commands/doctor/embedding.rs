//! Embedding, as after training: without gradients, in f32.

use std::time::Duration;

use anyhow::Result;
use simclr::burn::tensor::{Device, Distribution, Tensor};
use simclr::model::Encoder;

use super::speed::Speed;
use super::task::Batch;
use super::training::check_finite;

/// The time of a batch.
pub(super) fn time(
    batch: &Batch,
    limit: Duration,
    device: &Device,
    say: impl Fn(&Speed) -> Result<()>,
) -> Result<()> {
    let device = device.clone().inner();
    let encoder = batch.encoder.init(0, &device)?;
    let shape = [batch.images, 3, batch.size, batch.size];
    let images = Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
    let mut features = None;
    Speed::of(&device, limit, say, || {
        features = Some(encoder.encode(images.clone()));
        Ok(())
    })?;
    check_finite(features.map(Tensor::sum))
}
