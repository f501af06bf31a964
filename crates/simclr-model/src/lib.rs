//! Encoders with a projection head: images in, features h and projections z out.
//!
//! SimCLR trains an encoder f under a small head g. A view x of an image becomes features h = f(x) and a projection
//! z = g(h); the loss compares the projections, and after training only f is kept (Chen et al. 2020, section 2.1).
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
//! [`ResNet`] 18 to 152 of any width, [`EfficientNet`] B0 to B3, [`ConvNext`] tiny to base, [`VisionTransformer`] tiny, small and base for patches
//! and images of any size, and [`Mlp`]. An [`EncoderConfig`] names each in one word. With the same weights they compute
//! what the networks of torchvision and timm compute: outputs, gradients and running statistics. The training loop
//! takes anything else that implements [`Encoder`], too.
//!
//! Initial weights are drawn on the host from a seed, so that they are the same on every backend: see [`WeightInit`].
//! The values of a config are checked once, when `init` builds the network.
//!
//! # Weights
//!
//! [`WeightFile`] reads safetensors and the files of `torch.save`, with the names of torchvision, timm or this crate, and
//! finds the encoder in the checkpoint of a larger network. It executes nothing in them. [`save_published_weights`] writes files that those libraries read.
//! [`save_weights`] and [`load_weights`] keep any module; [`save_weights_with`] adds metadata, which
//! [`WeightFile::metadata`] reads.
//!
//! Every encoder is [`ToOnnx`](simclr_onnx::ToOnnx): it adds itself to a graph for onnxruntime.
//!
//! [`module_tensors`] lists the parameters and running statistics of any module: names, shapes, roles and values.
//!
//! # Where to go next
//!
//! - Guide: [encoders and weights](https://docs.rs/crate/simclr/latest/source/docs/encoders.md).
//! - Example: [`embed_folder`](https://docs.rs/crate/simclr/latest/source/examples/embed_folder.rs) makes vectors of a
//!   folder with torchvision's or timm's weights.
//! - Beside it: [`simclr-nn`](simclr_nn) has the layers, [`simclr-loss`](https://docs.rs/simclr-loss) compares the
//!   projections, [`simclr-train`](https://docs.rs/simclr-train) trains the encoders,
//!   [`simclr-embed`](https://docs.rs/simclr-embed) uses them, and [`simclr`](https://docs.rs/simclr) is all of it under
//!   one roof.

mod conv_next;
mod efficient_net;
mod encoder;
mod error;
mod image_encoder;
mod inference;
mod layers;
mod mlp;
mod module_tensors;
mod onnx;
mod parameter_count;
mod projection_head;
mod published_names;
mod resnet;
mod simclr;
mod vision_transformer;
mod weight_init;
mod weights;

pub use conv_next::{ConvNext, ConvNextConfig, ConvNextSize};
pub use efficient_net::{EfficientNet, EfficientNetConfig, EfficientNetVariant};
pub use encoder::Encoder;
pub use error::ModelError;
pub use image_encoder::{EncoderConfig, ImageEncoder};
pub use inference::Inference;
pub use layers::ConvNorm;
pub use mlp::{Mlp, MlpConfig};
pub use module_tensors::{ModuleTensor, TensorRole, module_tensors};
pub use parameter_count::count_parameters;
pub use projection_head::{ProjectionHead, ProjectionHeadConfig};
pub use published_names::{Naming, PublishedNames};
pub use resnet::{ResNet, ResNetConfig, ResNetDepth, ResidualBlock, Stem};
pub use simclr::SimClr;
pub use vision_transformer::{
    VisionTransformer, VisionTransformerConfig, VisionTransformerFamily, VisionTransformerSize,
};
pub use weight_init::WeightInit;
pub use weights::{
    LoadReport, NearMiss, WeightError, WeightFault, WeightFile, WeightMetadata, load_weights,
    save_published_weights, save_weights, save_weights_with,
};

/// The examples of the README run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
