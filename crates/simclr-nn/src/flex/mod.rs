//! The operations on Burn's flex backend: one file for each.
//!
//! Each operation has a function that says whether the kernels support its arguments, and one that runs them.

mod batch_norm;
mod channels_last;
mod conv2d;
mod folded_conv2d;
mod max_pool;
mod normalise;
mod order;

pub(crate) use self::channels_last::{channels_last, supports_channels_last};
pub(crate) use self::conv2d::{conv2d, supports_conv2d};
pub(crate) use self::folded_conv2d::FoldedWeights;
pub(crate) use self::max_pool::{max_pool2d, supports_max_pool2d};
pub(crate) use self::normalise::{normalise, supports_norm};
pub(crate) use crate::kernels::PoolOptions;
