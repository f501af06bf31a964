//! Encoders with a projection head: images in, features h and projections z out.
//!
//! SimCLR trains an encoder f under a small head g: two views x of an image become h = f(x) and
//! z = g(h), the loss compares the z, and after training only f is kept (Chen et al. 2020, section
//! 2.1).
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use simclr_model::{Encoder, ResNetConfig, ResNetDepth, Stem};
//!
//! let device = Device::flex();
//! let config = ResNetConfig { depth: ResNetDepth::ResNet18, width: 16, stem: Stem::Standard };
//! let encoder = config.init(0, &device)?;
//! let features = encoder.encode(Tensor::zeros([1, 3, 96, 96], &device));
//! assert_eq!(features.dims(), [1, encoder.feature_size()]);
//! # Ok::<(), simclr_model::ModelError>(())
//! ```
//!
//! Initial weights are drawn on the host from a seed, so that they are the same on every backend:
//! see [`WeightInit`]. [`save_weights`] and [`load_weights`] keep them as safetensors.

mod encoder;
mod error;
mod projection_head;
mod residual_block;
mod resnet;
mod simclr;
mod weight_init;
mod weights;

pub use encoder::Encoder;
pub use error::ModelError;
pub use projection_head::{ProjectionHead, ProjectionHeadConfig};
pub use residual_block::{ConvNorm, ResidualBlock};
pub use resnet::{ResNet, ResNetConfig, ResNetDepth, Stem};
pub use simclr::SimClr;
pub use weight_init::WeightInit;
pub use weights::{load_weights, save_weights};
