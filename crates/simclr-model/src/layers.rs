//! Layers that several networks share.

mod conv_norm;
mod linear_norm;

pub use self::conv_norm::ConvNorm;
pub(crate) use self::linear_norm::LinearNorm;
