//! What can be wrong with a model's description or its weights.

use std::path::PathBuf;

use thiserror::Error;

use crate::weights::WeightError;

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
    /// A projection head with no layers, or too many.
    #[error("expected a projection head of 1 to {most} layers, found {found}")]
    HeadLayers {
        /// The most layers there can be.
        most: usize,
        /// The number that was asked for.
        found: usize,
    },
    /// Images that don't divide into patches.
    #[error(
        "expected an image size that is a multiple of the patch size, {patch_size}, found {found}"
    )]
    PatchSize {
        /// Side of a patch in pixels.
        patch_size: usize,
        /// Side of an image in pixels.
        found: usize,
    },
    /// Images of another size than the encoder is made for.
    #[error("expected images of {expected} x {expected} pixels, found {found} x {found}")]
    ImageSize {
        /// Side of the images that the encoder takes.
        expected: usize,
        /// Side of the images there are.
        found: usize,
    },
    /// A probability of dropping a branch that leaves nothing to train.
    #[error("expected stochastic_depth in 0..1, found {found}")]
    StochasticDepth {
        /// The probability that was asked for.
        found: f64,
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
    #[error("cannot load weights from {path}")]
    Load {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: WeightError,
    },
    /// A weight file that cannot be written.
    #[error("cannot save weights to {path}")]
    Save {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: WeightError,
    },
}

impl ModelError {
    pub(crate) fn check_size(field: &'static str, size: usize) -> Result<(), Self> {
        if size == 0 { Err(Self::ZeroSize { field }) } else { Ok(()) }
    }
}
