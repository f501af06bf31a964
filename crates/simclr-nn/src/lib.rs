//! Convolution, batch normalisation and max-pooling that train fast on the CPU, as drop-in modules for Burn.
//!
//! [`Conv2d`] and [`BatchNorm`] have the parameters of Burn's own under the same names: records and weight files
//! fit both. On flex, Burn's pure-Rust CPU backend, they run on kernels of this crate; on every other backend, and
//! for what the kernels don't do (other types than f32, several groups), they call Burn's own operations.
//!
//! ```
//! use burn::nn::conv::Conv2dConfig;
//! use burn::nn::{BatchNormConfig, PaddingConfig2d};
//! use burn::tensor::{Device, Distribution, Tensor};
//! use simclr_nn::{BatchNorm, Conv2d, channels_last};
//!
//! let device = Device::flex().autodiff();
//! let conv = Conv2dConfig::new([3, 16], [3, 3]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
//! let conv = Conv2d::from(conv.init(&device));
//! let norm = BatchNorm::from(BatchNormConfig::new(16).init(&device));
//!
//! // Once, at the network's input: the layers keep the order they are given.
//! let images = channels_last(Tensor::<4>::random([2, 3, 8, 8], Distribution::Default, &device));
//! let y = norm.forward_relu(conv.forward(images));
//! let gradients = y.powi_scalar(2).sum().backward();
//! assert!(conv.weight.val().grad(&gradients).is_some());
//! ```
//!
//! # How
//!
//! - 3x3 kernels with stride 1 take a quarter of the multiplications, by Winograd's F(4x4, 3x3), in all three
//!   directions: output, input's gradient, weight's gradient (Lavin and Gray 2015).
//! - Everything else is products of shifted pixels: nothing is unfolded ("im2col"), the padded image itself is read.
//! - Normalisation, residual sum and ReLU are one operation, with one backward pass.
//! - How work is cut depends on sizes alone, so that a seed gives the same run for any number of threads.
//! - Gradients that nobody asks for are not computed; without autodiff nothing is kept.
//!
//! # Exactness
//!
//! Values and gradients are within 1e-5 of Burn's own and of f64, as a part of the largest value, over random sizes,
//! strides, paddings, dilations and groups. NaN and infinity land where Burn's own operations put them.
//!
//! There is no `unsafe` here: the vector instructions (AVX-512, AVX2, NEON) are `pulp`'s safe types, chosen at run time.

#![cfg_attr(
    feature = "flex",
    expect(
        clippy::inline_always,
        reason = "what isn't inlined into `with_simd` is compiled without the vector instructions"
    ),
    expect(
        clippy::needless_range_loop,
        reason = "iterators over registers are not always unrolled, and then live in memory"
    ),
    expect(
        clippy::cast_possible_wrap,
        reason = "sizes of images become signed, because padding reaches before their first pixel"
    )
)]

mod batch_norm;
mod channels_last;
mod conv2d;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "flex")]
mod kernels;
mod max_pool;

pub use batch_norm::BatchNorm;
pub use channels_last::channels_last;
pub use conv2d::{Conv2d, conv2d};
pub use max_pool::max_pool2d;
