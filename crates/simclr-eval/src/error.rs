//! What can go wrong in an evaluation.

use simclr_augment::AugmentationError;
use simclr_data::DataError;
use simclr_embed::EmbedError;
use simclr_range::OutOfRange;
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
    /// The evaluation was told to stop before its end.
    #[error("the evaluation was told to stop")]
    Stopped,
    /// Fine-tuning diverged: the loss is NaN or infinite.
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
}

impl EvalError {
    /// The error for examples that are all of one class, by their labels; nothing if there are two classes, or no example.
    ///
    /// # Errors
    ///
    /// [`EvalError::OneClass`].
    pub fn check_classes(labels: &[usize]) -> Result<(), Self> {
        match labels.split_first() {
            Some((&found, rest)) if rest.iter().all(|&label| label == found) => {
                Err(Self::OneClass { found })
            }
            _ => Ok(()),
        }
    }
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
