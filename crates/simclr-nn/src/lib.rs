#![doc = include_str!("../README.md")]
#![cfg_attr(
    feature = "flex",
    expect(
        clippy::inline_always,
        reason = "a function that isn't inlined into `with_simd` is compiled without the vector instructions"
    ),
    expect(
        clippy::needless_range_loop,
        reason = "loops over registers by iterator are not always unrolled, and then the registers live in memory"
    ),
    expect(
        clippy::cast_possible_wrap,
        reason = "positions in an image are signed, because padding begins before its first pixel"
    )
)]

mod activation;
mod add_scaled;
mod attention;
mod batch_norm;
mod batch_norms;
mod channels_last;
mod conv2d;
#[cfg(feature = "cube")]
mod cube;
#[cfg(feature = "flex")]
mod flex;
mod folded_conv2d;
mod gelu;
mod kept_memory;
#[cfg(feature = "flex")]
mod kernels;
mod layer_norm;
mod linear;
mod max_pool;
#[cfg(any(feature = "flex", feature = "cube"))]
mod ops;
mod pack;
mod packed_linear;
mod queued_read;
mod softmax;
mod squeeze_excite;

pub use activation::Activation;
pub use add_scaled::add_scaled;
pub use attention::attention;
pub use batch_norm::BatchNorm;
pub use batch_norms::batch_norms;
pub use channels_last::channels_last;
pub use conv2d::{Conv2d, conv2d};
pub use folded_conv2d::FoldedConv2d;
pub use gelu::gelu;
pub use kept_memory::free_kept_memory;
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use max_pool::max_pool2d;
pub use pack::{PACK_ALIGNMENT, launches_kernels, pack};
pub use packed_linear::PackedLinear;
pub use queued_read::QueuedRead;
pub use softmax::softmax;
pub use squeeze_excite::squeeze_excite;
