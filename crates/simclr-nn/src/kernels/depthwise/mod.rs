//! Depthwise convolution: every channel by itself, with a kernel of its own.
//!
//! The vectors run over channels. A task takes a band of an image, and of that one vector of channels after the other: it
//! copies the pixels' vectors next to each other, with the zeros around the image, and sums products of them and of
//! weights. The copy stays in the first-level cache, so that memory is read once, and needs no case for an image's border.

mod bands;
mod forward;
mod input_gradient;
mod phase;
mod strip;
mod sums;
mod weight_gradient;
mod weight_sums;
mod weights;

pub(super) use self::forward::forward;
pub(super) use self::input_gradient::input_gradient;
pub(super) use self::weight_gradient::weight_gradient;
