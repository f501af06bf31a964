//! A convolution and its gradients, each by the kernels that suit its sizes.

use super::memory::take;
use super::{Finish, Geometry, PackedWeights, depthwise, direct, winograd};

/// Weights as the kernels of a convolution's output read them.
pub(crate) enum OutputWeights {
    Packed(PackedWeights),
    /// `[channels, 1, kh, kw]`: every channel by itself.
    Depthwise(Vec<f32>),
}

impl OutputWeights {
    /// From `[channels_out, channels_in / groups, kh, kw]`, of which `shape` are the sizes.
    pub(crate) fn new(weights: &[f32], shape: [usize; 4], groups: usize) -> Self {
        let [channels_out, channels_in, height, width] = shape;
        if groups > 1 {
            return Self::Depthwise(weights.to_vec());
        }
        Self::Packed(PackedWeights::forward(weights, [channels_out, channels_in], height * width))
    }
}

/// The output `[n, h', w', channels_out]`, from `input` `[n, h, w, channels_in]`.
pub(crate) fn conv2d(
    geometry: &Geometry,
    input: &[f32],
    weights: &OutputWeights,
    finish: Finish<'_>,
) -> Vec<f32> {
    let mut result = take(geometry.output_len());
    let weights = match weights {
        OutputWeights::Packed(weights) => weights,
        OutputWeights::Depthwise(weights) => {
            depthwise::forward(geometry, input, weights, finish, &mut result);
            return result;
        }
    };
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
    if geometry.is_depthwise() {
        depthwise::input_gradient(geometry, weights, gradient, &mut result);
        return result;
    }
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
    if geometry.is_depthwise() {
        return depthwise::weight_gradient(geometry, input, gradient);
    }
    let by_winograd = winograd::applies(geometry)
        .then(|| winograd::weight_gradient(geometry, input, gradient))
        .flatten();
    by_winograd.unwrap_or_else(|| direct::weight_gradient(geometry, input, gradient))
}
