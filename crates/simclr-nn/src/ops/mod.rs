//! Operations that backends have kernels for, and their nodes in the graph of autodiff.
//!
//! A backend that isn't named by an operation's trait panics there, so that a layer asks first whether there is a kernel
//! for its tensors, and has Burn's own operations for all others.

mod batch_norm;
mod graph;
#[cfg(feature = "cube")]
mod narrow_conv2d;
mod norm_gradients;
mod norm_tensors;
mod optional;
#[cfg(feature = "cube")]
mod pack;
mod passed;
mod running_statistics;

pub(crate) use self::batch_norm::{BatchNormBackend, batch_norm};
#[cfg(feature = "flex")]
pub(crate) use self::graph::{Tracked, node, wanted};
#[cfg(feature = "cube")]
pub(crate) use self::narrow_conv2d::narrow_conv2d;
pub(crate) use self::norm_gradients::{BatchNormGradientBackend, KeptNorm, NormGradients, Wanted};
pub(crate) use self::norm_tensors::{NormOptions, NormTensors};
pub(crate) use self::optional::OptionalTensor;
#[cfg(feature = "cube")]
pub(crate) use self::pack::{MOST_VECTORS, PackBackend, Vectors, pack};
pub(crate) use self::passed::Passed;
#[cfg(feature = "cube")]
pub(crate) use self::passed::{channels_together, rows_of_word, shape_of_words};
pub(crate) use self::running_statistics::{Averaging, Running};
