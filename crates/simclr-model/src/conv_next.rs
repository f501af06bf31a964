//! `ConvNeXts`: sizes, blocks, network, names in other libraries.

mod block;
mod config;
mod network;
mod published_names;
mod size;
mod stage;

pub use self::config::ConvNextConfig;
pub use self::network::ConvNext;
pub use self::size::ConvNextSize;
