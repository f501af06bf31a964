//! Vision transformers: sizes, kinds, blocks, network, names in other libraries.

mod block_layer;
mod config;
mod family;
mod name;
mod network;
mod published_names;
mod rotary;
mod size;
mod to_onnx;
mod transformer_block;

pub use self::config::VisionTransformerConfig;
pub use self::family::VisionTransformerFamily;
pub(crate) use self::name::pixels;
pub use self::network::VisionTransformer;
pub use self::size::VisionTransformerSize;
