//! What can go wrong on the way to a page.

use std::io;
use std::path::PathBuf;

use simclr_augment::AugmentationError;
use simclr_data::DataError;
use simclr_embed::EmbedError;
use simclr_eval::EvalError;
use simclr_model::ModelError;
use simclr_range::OutOfRange;
use simclr_train::TrainError;
use thiserror::Error;

/// A run that cannot be reported on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A value of the [`ReportConfig`](crate::ReportConfig) is out of range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// The run has no encoder: it has not ended, or was killed.
    #[error("expected the trained encoder in {}, found none: the run has not ended; let it end, or resume it", path.display())]
    NoEncoder {
        /// The file that a run writes at its end.
        path: PathBuf,
    },
    /// None of the images can be read.
    #[error("expected a {set} image that can be read, found none among {images}")]
    NoImages {
        /// The set: "training", "test" or "pretraining".
        set: &'static str,
        /// How many images were tried.
        images: usize,
    },
    /// A picture cannot be written as JPEG.
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
    /// A file of the run is missing or damaged, or the run is not on images.
    #[error(transparent)]
    Run(#[from] TrainError),
    /// The data set failed as a whole.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The config's encoder cannot be built.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An image cannot be transformed.
    #[error(transparent)]
    Augmentation(#[from] AugmentationError),
    /// The run's weights are not those of the config's encoder, images cannot be embedded, or features cannot be
    /// compared.
    #[error(transparent)]
    Embed(#[from] EmbedError),
    /// The evaluation failed.
    #[error(transparent)]
    Eval(#[from] EvalError),
}
