//! A convolution with the normalisation that follows it folded in.

use burn::tensor::{DType, Tensor};
use simclr_nn::{Activation, FoldedConv2d};

use super::conv_layer::ConvLayer;

/// A [`ConvNorm`](super::ConvNorm) for inference.
#[derive(Debug)]
pub(crate) struct FoldedConvNorm(pub(super) FoldedConv2d);

impl ConvLayer for FoldedConvNorm {
    fn dtype(&self) -> DType {
        DType::F32
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.0.forward(x, Activation::Identity)
    }

    fn forward_relu(&self, x: Tensor<4>) -> Tensor<4> {
        self.0.forward(x, Activation::Relu)
    }

    fn forward_silu(&self, x: Tensor<4>) -> Tensor<4> {
        self.0.forward(x, Activation::Silu)
    }

    fn forward_add(&self, x: Tensor<4>, shortcut: Tensor<4>) -> Tensor<4> {
        self.0.forward_add(x, shortcut, Activation::Identity)
    }

    fn forward_add_relu(&self, x: Tensor<4>, shortcut: Tensor<4>) -> Tensor<4> {
        self.0.forward_add(x, shortcut, Activation::Relu)
    }
}
