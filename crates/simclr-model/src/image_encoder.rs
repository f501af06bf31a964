//! Any of the image encoders: its config, its name, the network.

mod config;
mod name;
mod network;
mod published_names;

pub use self::config::EncoderConfig;
pub use self::network::ImageEncoder;
