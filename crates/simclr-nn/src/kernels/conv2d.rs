//! A convolution and its gradients, each by the kernels that suit its sizes.

use super::memory::take;
use super::{Finish, Geometry, PackedWeights, direct, winograd};

/// The output `[n, h', w', channels_out]`, from `input` `[n, h, w, channels_in]` and weights that were packed
/// [forward](PackedWeights::forward).
pub(crate) fn conv2d(
    geometry: &Geometry,
    input: &[f32],
    weights: &PackedWeights,
    finish: Finish<'_>,
) -> Vec<f32> {
    let mut result = take(geometry.output_len());
    // Winograd's way spreads a number that isn't finite over its tile, and may overflow where the definition does
    // not. Then everything is computed again by the definition.
    if !(winograd::applies(geometry)
        && winograd::forward(geometry, input, weights, finish, &mut result))
    {
        direct::forward(geometry, input, weights, finish, &mut result);
    }
    result
}

/// The gradient of the input, from the gradient of the output and weights `[channels_out, channels_in, kh, kw]`.
pub(crate) fn input_gradient(geometry: &Geometry, weights: &[f32], gradient: &[f32]) -> Vec<f32> {
    let mut result = take(geometry.input_len());
    if geometry.has_few_channels() {
        direct::unfolded_input_gradient(geometry, weights, gradient, &mut result);
        return result;
    }
    let weights = &PackedWeights::backward(weights, geometry.channels(), geometry.positions());
    if !(winograd::applies(geometry)
        && winograd::input_gradient(geometry, weights, gradient, &mut result))
    {
        direct::input_gradient(geometry, weights, gradient, &mut result);
    }
    result
}

/// The gradient of the weights, from the input and the gradient of the output.
pub(crate) fn weight_gradient(geometry: &Geometry, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    let by_winograd = winograd::applies(geometry)
        .then(|| winograd::weight_gradient(geometry, input, gradient))
        .flatten();
    by_winograd.unwrap_or_else(|| direct::weight_gradient(geometry, input, gradient))
}
