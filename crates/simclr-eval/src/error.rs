//! What can go wrong in an evaluation.

<<<<<<< HEAD
use std::io;
use std::path::{Path, PathBuf};

use simclr_augment::{AugmentationError, OutOfRange};
use simclr_data::DataError;
use simclr_model::{ModelError, WeightError};
=======
use simclr_augment::AugmentationError;
use simclr_data::DataError;
use simclr_embed::EmbedError;
use simclr_range::OutOfRange;
>>>>>>> house-eval
use thiserror::Error;

/// An evaluation that cannot be done on what was given.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A setting is out of its range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// Images cannot be embedded, features cannot be learnt from or compared, or a file is not what it should be.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// All examples are of one class, so that there is nothing to tell apart.
    #[error("expected examples of at least two classes, found class {found} alone")]
    OneClass {
        /// The class.
        found: usize,
    },
    /// A class has fewer images than are to be drawn.
    #[error("expected at least {expected} images of class {class}, found {found}")]
    TooFewImages {
        /// The class.
        class: usize,
        /// Images to be drawn.
        expected: usize,
        /// Images of the class.
        found: usize,
    },
    /// A fold names a row that does not exist.
    #[error("expected rows below {images} in a fold, found {row}")]
    Fold {
        /// Training images.
        images: usize,
        /// The row.
        row: usize,
    },
    /// There is no draw of the training images to evaluate.
    #[error("expected at least one draw of the training images, found none")]
    NoDraws,
<<<<<<< HEAD
    /// Classes and names that don't go together.
    #[error("expected a name for each of {expected} classes, found {found}")]
    ClassCount {
        /// Classes.
        expected: usize,
        /// Names.
        found: usize,
    },
    /// A classifier that cannot be written.
    #[error("cannot save the classifier to {}: {reason}", path.display())]
    SaveClassifier {
        /// The file.
        path: PathBuf,
        /// What Burn's store says of it.
        reason: String,
    },
    /// A file that holds no classifier, or one of a later version.
    #[error("expected {expected} in {}, found {found}", path.display())]
    NotAClassifier {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// An encoder that cannot be built.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Weights of another architecture, or a damaged file.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// A file that cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A feature that is infinite or no number.
    #[error("expected finite features, found {found} in row {row} of the {set}")]
    NotFinite {
        /// "train", "test" or "index".
        set: &'static str,
        /// The image, from 0.
        row: usize,
        /// The value.
        found: f32,
    },
    /// All examples are of one class, so that there is nothing to tell apart.
    #[error("expected examples of at least two classes, found class {found} alone")]
    OneClass {
        /// The class.
        found: usize,
    },
    /// Fine-tuning that went astray.
=======
    /// Fine-tuning diverged: the loss is NaN or infinite.
>>>>>>> house-eval
    #[error(
        "expected a finite loss, found {loss} in epoch {epoch}: try a learning rate below {learning_rate}"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The mean loss of its steps.
        loss: f64,
        /// The peak of the schedule.
        learning_rate: f64,
    },
<<<<<<< HEAD
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
    /// A value is out of its range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// The device failed to hand out what it computed.
    #[error("the device failed: {0}")]
    Device(String),
=======
>>>>>>> house-eval
}

impl From<DataError> for EvalError {
    fn from(error: DataError) -> Self {
        Self::Embed(error.into())
    }
}

impl From<AugmentationError> for EvalError {
    fn from(error: AugmentationError) -> Self {
        Self::Embed(error.into())
    }
}
