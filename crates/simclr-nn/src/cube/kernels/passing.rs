//! What ReLU lets pass.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// The factor of a channel in the normalised values: gamma over the deviation.
#[cube]
pub(super) fn scale<N: Size>(
    gamma: Vector<f32, N>,
    variance: Vector<f32, N>,
    epsilon: f32,
) -> Vector<f32, N> {
    gamma * inverse_deviation::<N>(variance, epsilon)
}

/// One over the deviation.
#[cube]
pub(super) fn inverse_deviation<N: Size>(variance: Vector<f32, N>, epsilon: f32) -> Vector<f32, N> {
    Vector::<f32, N>::new(1.0f32) / (variance + Vector::<f32, N>::new(epsilon)).sqrt()
}

/// `values` where `output` isn't zero or less, and zero elsewhere. With the values themselves as the output, this is
/// ReLU. NaN passes, as in Burn's ReLU.
#[cube]
pub(super) fn passed<N: Size>(values: Vector<f32, N>, output: Vector<f32, N>) -> Vector<f32, N> {
    let zero = Vector::<f32, N>::new(0.0f32);
    select_many(output.less_equal(&zero), zero, values)
}
