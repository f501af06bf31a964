//! Layers that several networks share.

mod conv2d_to_onnx;
mod conv_layer;
mod conv_norm;
mod dropout;
mod example_keys;
mod folded_conv_norm;
mod linear_norm;
mod stochastic_depth;
mod to_onnx;

pub(crate) use self::conv_layer::ConvLayer;
pub use self::conv_norm::ConvNorm;
pub(crate) use self::conv2d_to_onnx::convolution;
pub(crate) use self::dropout::Dropout;
pub(crate) use self::example_keys::ExampleKeys;
pub(crate) use self::folded_conv_norm::FoldedConvNorm;
pub(crate) use self::linear_norm::LinearNorm;
pub(crate) use self::stochastic_depth::StochasticDepth;
pub(crate) use self::to_onnx::{layer_norm_to_onnx, linear_to_onnx};
