//! What can be wrong with a model's description or its weights.

use std::path::PathBuf;

use thiserror::Error;

/// A model that cannot be built, or weights that cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A size in a config is zero.
    #[error("expected {field} of at least 1, found 0")]
    ZeroSize {
        /// The config's field.
        field: &'static str,
    },
    /// An architecture name nobody knows.
    #[error("expected an encoder out of {known}, found \"{found}\"")]
    UnknownEncoder {
        /// The name that was given.
        found: String,
        /// The names there are.
        known: String,
    },
    /// A weight file that cannot be read, or holds the weights of another architecture.
    #[error("cannot load weights from {path}: {reason}")]
    Load {
        /// The file.
        path: PathBuf,
        /// What Burn's store says of it.
        reason: String,
    },
    /// A weight file that cannot be written.
    #[error("cannot save weights to {path}: {reason}")]
    Save {
        /// The file.
        path: PathBuf,
        /// What Burn's store says of it.
        reason: String,
    },
}
