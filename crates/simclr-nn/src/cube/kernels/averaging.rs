//! Running statistics with those of a batch.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// The mean and the variance of each channel.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Statistics<F: Float> {
    mean: Box<[F]>,
    variance: Box<[F]>,
}

/// The `running` statistics, averaged with a batch's mean and its variance times `unbiasing`.
#[cube(launch)]
pub(crate) fn averaged_statistics<F: Float>(
    running: &Statistics<F>,
    of_batch: &Statistics<f32>,
    mut averaged: Statistics<F>,
    momentum: f32,
    unbiasing: f32,
    #[define(F)] _dtype: ElemType,
) {
    let channel = ABSOLUTE_POS;
    if channel < averaged.mean.len() {
        let kept = 1.0f32 - momentum;
        let mean = f32::cast_from(running.mean[channel]) * kept;
        let variance = f32::cast_from(running.variance[channel]) * kept;
        averaged.mean[channel] = F::cast_from(mean + of_batch.mean[channel] * momentum);
        averaged.variance[channel] =
            F::cast_from(variance + of_batch.variance[channel] * unbiasing * momentum);
    }
}
