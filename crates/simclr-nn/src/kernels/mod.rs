//! The kernels: convolution, normalisation and pooling on slices of f32, in channels-last order.

mod conv2d;
mod direct;
mod exp;
mod finish;
mod geometry;
mod lanes;
mod memory;
mod norm;
mod order;
mod packed_weights;
mod pool;
mod product;
mod scratch;
mod winograd;

pub(crate) use self::conv2d::{conv2d, input_gradient, weight_gradient};
pub(crate) use self::finish::Finish;
pub(crate) use self::geometry::Geometry;
pub(crate) use self::memory::{free, give, take};
pub(crate) use self::norm::{
    Normalisation, ParameterGradients, Saved, Statistics, channel_sums, statistics,
};
pub(crate) use self::order::{to_channels_first, to_channels_last};
pub(crate) use self::packed_weights::PackedWeights;
pub(crate) use self::pool::{PoolOptions, Windows, gradient_of_maxima, maxima};
