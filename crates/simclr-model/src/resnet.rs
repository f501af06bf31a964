//! Residual networks: depth, blocks, network, names in other libraries.

mod config;
mod depth;
mod network;
mod published_names;
mod residual_block;

pub use self::config::{ResNetConfig, Stem};
pub use self::depth::ResNetDepth;
pub use self::network::ResNet;
pub use self::residual_block::ResidualBlock;
