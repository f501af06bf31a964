//! What can go wrong when a graph is written.

/// Why a graph could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// A weight that f16 cannot hold.
    #[error("expected the values of `{tensor}` in f16's range of -65504 to 65504, found {found}")]
    BeyondHalf {
        /// The name of the weights.
        tensor: String,
        /// One of the values that are too large.
        found: f32,
    },
    /// A weight that is NaN or infinite.
    #[error("expected finite values in `{tensor}`, found {found}")]
    NotFinite {
        /// The name of the weights.
        tensor: String,
        /// One of the values.
        found: f32,
    },
    /// The format, protobuf, ends at 2 GiB.
    #[error("expected at most 2147483647 bytes, the most that one ONNX file holds, found {found}")]
    TooLarge {
        /// The bytes that the file would have.
        found: usize,
    },
}
