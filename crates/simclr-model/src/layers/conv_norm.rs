//! A convolution and the normalisation that follows it.

use burn::module::{Module, Param};
use burn::nn::conv::Conv2dConfig;
use burn::nn::{BatchNormConfig, PaddingConfig2d};
use burn::tensor::{DType, Tensor};
use simclr_nn::{BatchNorm, Conv2d, FoldedConv2d};
use simclr_onnx::{Graph, ToOnnx, Value};

use super::conv_layer::ConvLayer;
use super::conv2d_to_onnx::convolution;
use super::folded_conv_norm::FoldedConvNorm;
use crate::onnx::folded;
use crate::weight_init::WeightInit;

/// A convolution followed by batch normalisation (eps 1e-5, in TensorFlow's networks 1e-3; momentum 0.1).
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
}

impl ConvNorm {
    /// `channels` come in and go out. Stride 1 and an odd kernel keep the size of an image.
    pub(crate) fn new(
        channels: [usize; 2],
        kernel: usize,
        stride: usize,
        init: &mut WeightInit,
    ) -> Self {
        Self::from_config(&config(channels, kernel, stride), init)
    }

    /// Convolves every channel by itself.
    pub(crate) fn depthwise(
        channels: usize,
        kernel: usize,
        stride: usize,
        init: &mut WeightInit,
    ) -> Self {
        let config = config([channels; 2], kernel, stride).with_groups(channels);
        Self::from_config(&config, init)
    }

    fn from_config(config: &Conv2dConfig, init: &mut WeightInit) -> Self {
        let norm = BatchNormConfig::new(config.channels[1]).init(init.device());
        Self { conv: init.conv2d(config).into(), norm: norm.into() }
    }

    /// Sets gamma to zero: the layer gives zeros, whatever comes in.
    pub(crate) fn with_zero_gamma(mut self) -> Self {
        let gamma = self.norm.gamma.val();
        self.norm.gamma = Param::from_tensor(gamma.zeros_like());
        self
    }

    /// Takes the stride away; whether there was one.
    pub(crate) fn remove_stride(&mut self) -> bool {
        std::mem::replace(&mut self.conv.stride, [1, 1]) != [1, 1]
    }

    /// With the padding that TensorFlow calls "same", which depends on the size of an image where there is a stride, and
    /// with an eps of 1e-3, as in TensorFlow's `EfficientNets`.
    pub(crate) fn like_tensorflow(mut self) -> Self {
        self.conv.padding = PaddingConfig2d::Same;
        self.norm.epsilon = 1e-3;
        self
    }

    /// Whether the layer is faster [folded](Self::folded).
    pub(crate) fn folds(&self) -> bool {
        let weight = self.conv.weight.val();
        FoldedConv2d::pays(weight.dtype(), &weight.device().inner())
    }

    /// The layer for inference.
    pub(crate) fn folded(&self) -> FoldedConvNorm {
        FoldedConvNorm(FoldedConv2d::new(&self.conv, &self.norm))
    }
}

impl ConvLayer for ConvNorm {
    fn dtype(&self) -> DType {
        self.conv.weight.dtype()
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x))
    }

    fn forward_relu(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward_relu(self.conv.forward(x))
    }

    fn forward_silu(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward_silu(self.conv.forward(x))
    }

    fn forward_add(&self, x: Tensor<4>, shortcut: Tensor<4>) -> Tensor<4> {
        self.norm.forward_add(self.conv.forward(x), shortcut)
    }

    fn forward_add_relu(&self, x: Tensor<4>, shortcut: Tensor<4>) -> Tensor<4> {
        self.norm.forward_add_relu(self.conv.forward(x), shortcut)
    }
}

impl ToOnnx for ConvNorm {
    /// The normalisation is part of the convolution.
    fn to_onnx(&self, graph: &mut Graph, input: &Value) -> Value {
        let mut conv = convolution(&self.conv);
        let per_channel = conv.weight.values().len() / conv.weight.shape()[0];
        let (weight, bias) =
            folded(&self.norm, conv.weight, conv.bias.as_deref(), |index| index / per_channel);
        (conv.weight, conv.bias) = (weight, Some(bias));
        graph.convolution(input, "conv", &conv)
    }
}

/// The padding of stride 1 keeps the size of an image if the kernel is odd.
fn config(channels: [usize; 2], kernel: usize, stride: usize) -> Conv2dConfig {
    let padding = kernel / 2;
    Conv2dConfig::new(channels, [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
}
