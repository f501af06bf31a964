//! Convolution and batch normalisation that train fast on the CPU.

mod batch_norm;
mod channels_last;
mod conv2d;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "flex")]
mod kernels;

pub use batch_norm::BatchNorm;
pub use channels_last::channels_last;
pub use conv2d::{Conv2d, conv2d};
