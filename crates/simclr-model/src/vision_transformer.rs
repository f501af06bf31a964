//! Vision transformers: sizes, blocks, network, names in other libraries.

mod config;
mod network;
mod published_names;
mod to_onnx;
mod transformer_block;

pub use self::config::{VisionTransformerConfig, VisionTransformerSize};
pub use self::network::VisionTransformer;
