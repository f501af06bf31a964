//! What can go wrong in an evaluation.

use simclr_augment::AugmentationError;
use simclr_data::DataError;
use thiserror::Error;

/// An evaluation that cannot be done on what was given.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A parameter of the k-nearest-neighbour vote is out of range.
    #[error("expected {field} of kNN to be {expected}, found {found}")]
    Knn {
        /// The parameter.
        field: &'static str,
        /// Its legal range.
        expected: &'static str,
        /// The value that was given.
        found: f64,
    },
    /// There is nothing to vote, or nothing to be asked about.
    #[error("expected at least one labelled image in the {set}, found none")]
    NoImages {
        /// Which set is empty: "bank" or "queries".
        set: &'static str,
    },
    /// The two sets' features are not comparable.
    #[error("expected queries with {expected} features each, as in the bank, found {found}")]
    FeatureSize {
        /// Features of each bank image.
        expected: usize,
        /// Features of each query.
        found: usize,
    },
    /// An image that was to be evaluated has no label.
    #[error("expected a label for every image to evaluate, found none for {name}")]
    Unlabelled {
        /// The image.
        name: String,
    },
    /// The data set failed as a whole.
    #[error(transparent)]
    Data(#[from] DataError),
    /// An image could not be transformed.
    #[error(transparent)]
    Augmentation(#[from] AugmentationError),
    /// The device failed to hand out what it computed.
    #[error("the device failed: {0}")]
    Device(String),
}
