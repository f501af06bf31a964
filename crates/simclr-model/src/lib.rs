//! Encoders with a projection head: images in, features h and projections z out.
//!
//! SimCLR trains an encoder f under a small head g: two views x of an image become h = f(x) and
//! z = g(h), the loss compares the z, and after training only f is kept (Chen et al. 2020, section
//! 2.1).
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use simclr_model::{Encoder, EncoderConfig};
//!
//! let device = Device::flex();
//! let config: EncoderConfig = "resnet18x0.25".parse()?; // or "efficientnet_b0", "vit_tiny_p16", ...
//! let encoder = config.init(0, &device)?;
//! let features = encoder.encode(Tensor::zeros([1, 3, 96, 96], &device));
//! assert_eq!(features.dims(), [1, encoder.feature_size()]);
//! # Ok::<(), simclr_model::ModelError>(())
//! ```
//!
//! # Architectures
//!
//! [`ResNet`] 18 to 152 of any width, [`EfficientNet`] B0 to B3, [`VisionTransformer`] tiny, small and base with
//! patches and images of any size, and [`Mlp`]. [`EncoderConfig`] names each in a word. They compute what those of
//! torchvision and timm compute with the same weights, in value, gradient and statistics. Anything else that is an
//! [`Encoder`] can be trained as well.
//!
//! Initial weights are drawn on the host from a seed, so that they are the same on every backend: see [`WeightInit`].
//!
//! # Weights
//!
//! [`WeightFile`] reads safetensors and PyTorch's own files with the names of torchvision, timm or this crate, without
//! executing anything in them; [`save_published_weights`] writes what they read. [`save_weights`] and [`load_weights`]
//! keep any module.

mod conv_norm;
mod efficient_net;
mod encoder;
mod encoder_config;
mod encoder_name;
mod error;
mod image_encoder;
mod inverted_residual;
mod linear_norm;
mod mlp;
mod parameter_count;
mod projection_head;
mod published_names;
mod residual_block;
mod resnet;
mod simclr;
mod stochastic_depth;
mod transformer_block;
mod vision_transformer;
mod weight_init;
mod weights;

pub use conv_norm::ConvNorm;
pub use efficient_net::{EfficientNet, EfficientNetConfig, EfficientNetVariant};
pub use encoder::Encoder;
pub use encoder_config::EncoderConfig;
pub use error::ModelError;
pub use image_encoder::ImageEncoder;
pub use mlp::{Mlp, MlpConfig};
pub use parameter_count::count_parameters;
pub use projection_head::{ProjectionHead, ProjectionHeadConfig};
pub use published_names::{Naming, PublishedNames};
pub use residual_block::ResidualBlock;
pub use resnet::{ResNet, ResNetConfig, ResNetDepth, Stem};
pub use simclr::SimClr;
pub use vision_transformer::{VisionTransformer, VisionTransformerConfig, VisionTransformerSize};
pub use weight_init::WeightInit;
pub use weights::{
    LoadReport, WeightError, WeightFile, load_weights, save_published_weights, save_weights,
};
