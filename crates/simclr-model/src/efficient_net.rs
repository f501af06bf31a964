//! `EfficientNets`: sizes, blocks, network, names in other libraries.

mod config;
mod inverted_residual;
mod network;
mod published_names;
mod variant;

pub use self::config::EfficientNetConfig;
pub(crate) use self::config::TENSORFLOW;
pub use self::network::EfficientNet;
pub use self::variant::EfficientNetVariant;
