//! The building block of a `ConvNeXt`.

use burn::module::{Module, Param};
use burn::nn::conv::Conv2dConfig;
use burn::nn::{LinearConfig, PaddingConfig2d};
use burn::tensor::Tensor;
use simclr_nn::{Conv2d, LayerNorm, Linear};
use simclr_onnx::{Graph, ToOnnx, Value};

use super::config::{WEIGHT_STD, layer_norm};
use super::network::{convolve, convolve_in_onnx};
use crate::layers::{ExampleKeys, StochasticDepth, layer_norm_to_onnx, linear_to_onnx};
use crate::onnx::weights;
use crate::weight_init::WeightInit;

/// Side of the depthwise kernel.
const KERNEL: usize = 7;
/// How many times as long as a pixel the hidden layer of the perceptron is.
const MLP_EXPANSION: usize = 4;
/// A new layer scale (Liu et al. 2022, table 5).
const NEW_LAYER_SCALE: f64 = 1e-6;

/// x + scale * perceptron(norm(depthwise convolution(x))) (Liu et al. 2022, figure 4). The perceptron sees each pixel by
/// itself.
#[derive(Module, Debug)]
pub(super) struct ConvNextBlock {
    depthwise: Conv2d,
    norm: LayerNorm,
    mlp_hidden: Linear,
    mlp_output: Linear,
    layer_scale: Param<Tensor<1>>,
    stochastic_depth: StochasticDepth,
}

impl ConvNextBlock {
    /// In training, the block drops its branch with `drop_probability`.
    pub(super) fn new(channels: usize, drop_probability: f64, init: &mut WeightInit) -> Self {
        let padding = KERNEL / 2;
        let config = Conv2dConfig::new([channels; 2], [KERNEL; 2])
            .with_groups(channels)
            .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding));
        let depthwise = init.truncated_normal_conv2d(&config, WEIGHT_STD).into();
        let hidden = MLP_EXPANSION * channels;
        let mut linear = |inputs, outputs| {
            init.truncated_normal_linear(&LinearConfig::new(inputs, outputs), WEIGHT_STD).into()
        };
        let (mlp_hidden, mlp_output) = (linear(channels, hidden), linear(hidden, channels));
        let layer_scale = Tensor::full([channels], NEW_LAYER_SCALE, init.device());
        Self {
            depthwise,
            norm: layer_norm(channels, init.device()),
            mlp_hidden,
            mlp_output,
            layer_scale: Param::from_tensor(layer_scale),
            stochastic_depth: StochasticDepth::new(drop_probability, init),
        }
    }

    /// `x` and output: `[n, height, width, channels]`.
    pub(super) fn forward(&self, x: Tensor<4>, keys: &ExampleKeys) -> Tensor<4> {
        let normed = self.norm.forward(convolve(&self.depthwise, x.clone()));
        let hidden = self.mlp_hidden.forward_gelu(normed);
        let scale = self.layer_scale.val();
        if self.stochastic_depth.drops(&x) {
            let branch = self.mlp_output.forward_scaled(hidden, scale);
            return self.stochastic_depth.add(x, branch, keys);
        }
        self.mlp_output.forward_scaled_add(hidden, scale, x)
    }
}

impl ToOnnx for ConvNextBlock {
    fn to_onnx(&self, graph: &mut Graph, input: &Value) -> Value {
        let x = convolve_in_onnx(&self.depthwise, graph, "depthwise", input);
        let x = layer_norm_to_onnx(&self.norm, graph, "norm", &x);
        let x = linear_to_onnx(&self.mlp_hidden, graph, "mlp_hidden", &x);
        let x = graph.gelu(&x);
        let x = linear_to_onnx(&self.mlp_output, graph, "mlp_output", &x);
        let scale = graph.weights("layer_scale", &weights(&self.layer_scale));
        let x = graph.product(&x, &scale);
        graph.sum(&x, input)
    }
}
