//! The operations on Burn's flex backend: one file for each.
//!
//! Each operation has a function that says whether the kernels support its arguments, and one that runs them.

mod attention;
mod batch_norm;
mod channels_last;
mod conv2d;
mod excitation;
mod folded_conv2d;
mod gelu;
mod layer_norm;
mod linear;
mod max_pool;
mod normalise;
mod order;
mod packed_linear;
mod scaled_sum;
mod softmax;

pub(crate) use self::attention::{attention, supports_attention};
pub(crate) use self::channels_last::{channels_last, supports_channels_last};
pub(crate) use self::conv2d::{conv2d, supports_conv2d};
pub(crate) use self::excitation::{squeeze_excite, supports_squeeze_excite};
pub(crate) use self::folded_conv2d::FoldedWeights;
pub(crate) use self::gelu::{gelu, supports_gelu};
pub(crate) use self::layer_norm::{layer_norm, supports_layer_norm};
pub(crate) use self::linear::{linear, supports_linear};
pub(crate) use self::max_pool::{max_pool2d, supports_max_pool2d};
pub(crate) use self::normalise::{normalise, supports_norm};
pub(crate) use self::packed_linear::KeptLayer;
pub(crate) use self::scaled_sum::{add_scaled, supports_add_scaled};
pub(crate) use self::softmax::{softmax, supports_softmax};
pub(crate) use crate::kernels::PoolOptions;
