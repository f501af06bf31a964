//! A convolution and its gradients, each by the kernels that suit its sizes.

use super::{Geometry, depthwise, direct, memory, winograd};

/// The output `[n, h', w', channels_out]`, from `input` `[n, h, w, channels_in]` and `weights`
/// `[channels_out, channels_in / groups, kh, kw]`.
pub(crate) fn conv2d(
    geometry: &Geometry,
    input: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let mut result = memory(geometry.output_len());
    if geometry.is_depthwise() {
        depthwise::forward(geometry, input, weights, bias, &mut result);
        return result;
    }
    // Winograd's way spreads a number that isn't finite over its tile, and may overflow where the definition does
    // not. Then everything is computed again by the definition.
    if !(winograd::applies(geometry)
        && winograd::forward(geometry, input, weights, bias, &mut result))
    {
        direct::forward(geometry, input, weights, bias, &mut result);
    }
    result
}

/// The gradient of the input, from the gradient of the output.
pub(crate) fn input_gradient(geometry: &Geometry, weights: &[f32], gradient: &[f32]) -> Vec<f32> {
    let mut result = memory(geometry.input_len());
    if geometry.is_depthwise() {
        depthwise::input_gradient(geometry, weights, gradient, &mut result);
        return result;
    }
    if geometry.has_few_channels() {
        direct::unfolded_input_gradient(geometry, weights, gradient, &mut result);
        return result;
    }
    if !(winograd::applies(geometry)
        && winograd::input_gradient(geometry, weights, gradient, &mut result))
    {
        direct::input_gradient(geometry, weights, gradient, &mut result);
    }
    result
}

/// The gradient of the weights, from the input and the gradient of the output.
pub(crate) fn weight_gradient(geometry: &Geometry, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    if geometry.is_depthwise() {
        return depthwise::weight_gradient(geometry, input, gradient);
    }
    let by_winograd = winograd::applies(geometry)
        .then(|| winograd::weight_gradient(geometry, input, gradient))
        .flatten();
    by_winograd.unwrap_or_else(|| direct::weight_gradient(geometry, input, gradient))
}
