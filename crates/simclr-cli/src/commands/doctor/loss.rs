//! NT-Xent alone.

use std::time::Duration;

use anyhow::{Context, Result};
use simclr::burn::tensor::{Device, Distribution, Tensor};
use simclr::loss::NtXent;

use super::speed::Speed;
use super::training::check_finite;

pub(super) const TEMPERATURE: f64 = 0.5;
/// Length of a projection.
pub(super) const D: usize = 128;

/// The time of loss and gradient for two views of `n` images.
pub(super) fn time(
    n: usize,
    limit: Duration,
    device: &Device,
    say: impl Fn(&Speed) -> Result<()>,
) -> Result<()> {
    let device = device.clone().autodiff();
    let loss = NtXent::new(TEMPERATURE)?;
    let [z_a, z_b] = [(); 2].map(|()| {
        let distribution = Distribution::Normal(0.0, 1.0);
        Tensor::<2>::random([n, D], distribution, &device).require_grad()
    });
    let mut gradient = None;
    Speed::of(&device, limit, say, || {
        let gradients = loss.forward(z_a.clone(), z_b.clone()).backward();
        gradient = Some(z_a.grad(&gradients).context("the views have no gradient")?);
        Ok(())
    })?;
    check_finite(gradient.map(Tensor::sum))
}
