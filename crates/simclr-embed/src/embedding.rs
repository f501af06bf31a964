//! From images to feature vectors.

mod batches;
mod embedded;
mod embedder;
mod embedder_file;
mod onnx;
mod open;
mod parameter_bound;
mod patches;
mod preparation;
mod raw_pixels;
mod vector_file;

pub use self::embedded::{Embedded, EmbeddedLabelled};
pub use self::embedder::Embedder;
pub(crate) use self::embedder::{batch_of, to_host};
pub use self::embedder_file::EmbedderFile;
pub use self::onnx::OnnxOptions;
pub use self::preparation::Preparation;
pub use self::raw_pixels::raw_pixels;
pub use self::vector_file::{VectorFile, VectorsWritten};
