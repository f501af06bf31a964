//! The kernels: convolution, normalisation, pooling and more on slices of f32, in channels-last order.

mod conv2d;
mod depthwise;
mod direct;
mod excitation;
mod exp;
mod geometry;
mod norm;
mod order;
mod padded;
mod pool;
mod product;
mod recycled;
mod scaled_sum;
mod scratch;
mod winograd;

pub(crate) use self::conv2d::{conv2d, input_gradient, weight_gradient};
pub(crate) use self::excitation::{Excitation, Layer, LayerGradients};
pub(crate) use self::geometry::Geometry;
pub(crate) use self::norm::{
    Normalisation, ParameterGradients, Saved, Statistics, channel_sums, statistics,
};
pub(crate) use self::order::{to_channels_first, to_channels_last};
pub(crate) use self::pool::{PoolOptions, Windows, gradient_of_maxima, maxima};
pub(crate) use self::recycled::{memory, recycle};
pub(crate) use self::scaled_sum::{scaled, scaled_sum};
