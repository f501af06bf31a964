//! What can be wrong with the description of a model.

use simclr_range::OutOfRange;
use thiserror::Error;

/// An encoder or a head that cannot be built from its description.
///
/// What can be wrong with a weight file is a [`WeightError`](crate::WeightError).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A value in a config is out of its range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// No encoder has this name.
    #[error("expected an encoder out of {known}, found \"{found}\"")]
    UnknownEncoder {
        /// The name that was given.
        found: String,
        /// The names of the encoders.
        known: String,
    },
    /// The encoder takes images of another size.
    #[error("expected images of {expected} x {expected} pixels, found {found} x {found}")]
    ImageSize {
        /// Side, in pixels, of the images that the encoder takes.
        expected: usize,
        /// Side, in pixels, of the given images.
        found: usize,
    },
}

/// Checks that a size in a config is not zero.
pub(crate) fn check_size(field: &'static str, size: usize) -> Result<(), OutOfRange> {
    OutOfRange::unless(size > 0, field, "at least 1", size)
}
