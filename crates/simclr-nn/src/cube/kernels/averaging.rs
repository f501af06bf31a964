//! Running statistics with those of a batch.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// Mean and variance of each channel, averaged with a batch's mean and its variance times `unbiasing`.
#[cube(launch)]
pub(crate) fn averaged_statistics<F: Float>(
    running_mean: &[F],
    running_variance: &[F],
    mean: &[f32],
    variance: &[f32],
    new_mean: &mut [F],
    new_variance: &mut [F],
    momentum: f32,
    unbiasing: f32,
    #[define(F)] _dtype: ElemType,
) {
    let channel = ABSOLUTE_POS;
    if channel < new_mean.len() {
        let kept = 1.0f32 - momentum;
        let old_mean = f32::cast_from(running_mean[channel]);
        let old_variance = f32::cast_from(running_variance[channel]);
        new_mean[channel] = F::cast_from(old_mean * kept + mean[channel] * momentum);
        new_variance[channel] =
            F::cast_from(old_variance * kept + variance[channel] * unbiasing * momentum);
    }
}
