//! What can go wrong on the way to a page.

use std::io;
use std::path::PathBuf;

use simclr_augment::AugmentationError;
use simclr_data::DataError;
use simclr_embed::EmbedError;
use simclr_eval::EvalError;
use simclr_model::ModelError;
use simclr_train::TrainError;
use thiserror::Error;

/// A run that cannot be reported on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A value of the [`ReportConfig`](crate::ReportConfig) is out of range.
    #[error("expected {field} to be {expected}, found {found}")]
    Config {
        /// The config's field.
        field: &'static str,
        /// Its legal range.
        expected: &'static str,
        /// The value that was given.
        found: usize,
    },
    /// A run without its encoder: it has not ended, or was killed.
    #[error("expected the trained encoder in {}, found none: the run has not ended; let it end, or resume it", path.display())]
    NoEncoder {
        /// The file that the run's end writes.
        path: PathBuf,
    },
    /// Not one image can be read.
    #[error("expected an image that can be read among the {set}, found none in {images}")]
    NoImages {
        /// Which images: "train", "test" or "pretraining images".
        set: &'static str,
        /// How many were tried.
        images: usize,
    },
    /// A picture that cannot be written as JPEG.
    #[error("cannot encode a picture for the page")]
    Picture(#[source] image::ImageError),
    /// The page cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of the run is missing or damaged.
    #[error(transparent)]
    Run(#[from] TrainError),
    /// The data set failed as a whole.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The config's encoder and its weights don't go together, or it doesn't take images of its size.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The config's augmentation is wrong, or failed on an image.
    #[error(transparent)]
    Augmentation(#[from] AugmentationError),
    /// Images cannot be embedded.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The evaluation failed.
    #[error(transparent)]
    Eval(#[from] EvalError),
}
