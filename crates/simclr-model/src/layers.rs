//! Layers that several networks share.

mod conv_norm;
mod dropout;
mod example_keys;
mod linear_norm;

pub use self::conv_norm::ConvNorm;
pub(crate) use self::dropout::Dropout;
pub(crate) use self::example_keys::{ExampleKeys, is_training};
pub(crate) use self::linear_norm::LinearNorm;
