//! What the layers' ways to ONNX share: reading weights, and folding a normalisation into the layer before it.

use burn::module::Param;
use burn::tensor::Tensor;
use simclr_nn::BatchNorm;
use simclr_onnx::Weights;

/// The values of a parameter, in f32.
pub(crate) fn weights<const D: usize>(param: &Param<Tensor<D>>) -> Weights {
    let tensor = param.val();
    Weights::new(tensor.dims(), values(&tensor))
}

/// The values of a parameter of one dimension.
pub(crate) fn vector(param: &Param<Tensor<1>>) -> Vec<f32> {
    values(&param.val())
}

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data_as::<f32>().iter::<f32>().collect()
}

/// A layer's weights and bias with the normalisation after it in them: its outputs are normalised with running
/// statistics, which is a factor and a shift for each.
///
/// Channel `c` of the output comes from those `values` that `channel_of` maps to `c`.
pub(crate) fn folded(
    norm: &BatchNorm,
    mut layer: Weights,
    bias: Option<&[f32]>,
    channel_of: impl Fn(usize) -> usize,
) -> (Weights, Vec<f32>) {
    let [gamma, beta] = [&norm.gamma, &norm.beta].map(vector);
    let [mean, variance] =
        [&norm.running_mean, &norm.running_var].map(|statistic| values(&statistic.value_sync()));
    let scales: Vec<f64> = gamma
        .iter()
        .zip(variance)
        .map(|(&gamma, variance)| f64::from(gamma) / (f64::from(variance) + norm.epsilon).sqrt())
        .collect();
    for (index, value) in layer.values_mut().iter_mut().enumerate() {
        *value = (f64::from(*value) * scales[channel_of(index)]) as f32;
    }
    let shift = |(channel, &scale): (usize, &f64)| {
        let bias = bias.map_or(0.0, |bias| f64::from(bias[channel]));
        (f64::from(beta[channel]) + (bias - f64::from(mean[channel])) * scale) as f32
    };
    let shifts = scales.iter().enumerate().map(shift).collect();
    (layer, shifts)
}
