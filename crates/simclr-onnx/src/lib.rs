#![doc = include_str!("../README.md")]
#![expect(
    clippy::cast_possible_wrap,
    reason = "ONNX counts in i64, and no tensor in memory is larger"
)]

mod attribute;
mod convolution;
mod error;
mod graph;
mod layers;
mod proto;
mod to_onnx;
mod weights;

pub use attribute::Attribute;
pub use convolution::{Convolution, Padding};
pub use error::OnnxError;
pub use graph::{Dimension, Graph, Value};
pub use to_onnx::ToOnnx;
pub use weights::Weights;
