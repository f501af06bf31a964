//! The kernels, on slices of f32: convolution, normalisation and pooling of images in channels-last order, and the layers of
//! transformers on rows.

mod attention;
mod conv2d;
mod depthwise;
mod direct;
mod excitation;
mod exp;
mod finish;
mod gelu;
mod geometry;
mod layer_norm;
mod linear;
mod memory;
mod norm;
mod order;
mod packed_weights;
mod packing;
mod padded;
mod pool;
mod product;
mod rows;
mod scaled_sum;
mod scratch;
mod softmax;
mod strip_copies;
mod winograd;

pub(crate) use self::attention::{AttentionSizes, attention, attention_gradient};
pub(crate) use self::conv2d::{OutputWeights, conv2d, input_gradient, weight_gradient};
pub(crate) use self::excitation::{Excitation, Layer, LayerGradients};
pub(crate) use self::finish::Finish;
pub(crate) use self::gelu::{activated, activation_gradient};
pub(crate) use self::geometry::Geometry;
pub(crate) use self::layer_norm::{RowStatistics, layer_norm, layer_norm_gradients};
pub(crate) use self::linear::{
    Activated, LinearLayer, PackedWeight, WeightGradients, input_gradient as linear_input_gradient,
    weight_gradients,
};
pub(crate) use self::memory::{free, give, take};
pub(crate) use self::norm::{
    Normalisation, ParameterGradients, Saved, Statistics, channel_sums, statistics,
};
pub(crate) use self::order::{to_channels_first, to_channels_last};
use self::packed_weights::PackedWeights;
pub(crate) use self::pool::{PoolOptions, Windows, gradient_of_maxima, maxima};
pub(crate) use self::scaled_sum::{scaled, scaled_sum};
pub(crate) use self::softmax::{Normaliser, softmax, softmax_gradient};
