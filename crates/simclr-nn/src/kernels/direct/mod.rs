//! Any convolution with one group, as products of shifted pixels with the weights of one kernel position.
//!
//! Nothing is unfolded: a product's left factor is the padded image itself, read at the offsets of the kernel's
//! positions ("implicit GEMM"). The exception is the gradient of an input with few channels, see `unfolded`.

mod bands;
mod forward;
mod input_gradient;
mod unfolded;
mod weight_gradient;
mod weight_sums;

pub(crate) use self::forward::forward;
pub(crate) use self::input_gradient::input_gradient;
pub(crate) use self::unfolded::unfolded_input_gradient;
pub(crate) use self::weight_gradient::weight_gradient;
