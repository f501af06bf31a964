//! What can go wrong on the way from images to vectors, and with vectors.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};

use simclr_augment::AugmentationError;
use simclr_data::DataError;
use simclr_model::{ModelError, WeightError};
use simclr_range::OutOfRange;
use thiserror::Error;

/// Images that cannot be embedded, vectors that cannot be compared, or a file that holds neither.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// A setting is out of its range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// Features of patches are asked of an encoder that has none.
    #[error("expected an encoder of patches, such as vit_small_p16, found {found}")]
    NoPatches {
        /// The encoder's name, or "another network".
        found: String,
    },
    /// Regions of images are asked of an encoder that sees no places.
    #[error(
        "expected an encoder that sees where things are, such as resnet50 or vit_small_p16, found {found}"
    )]
    NoPlaces {
        /// The encoder's name, or "a network that sees no places".
        found: String,
    },
    /// A set of feature vectors is empty.
    #[error("expected at least one image in the {set}, found none")]
    NoImages {
        /// Which set: "training set", "test set", "index" or "queries".
        set: &'static str,
    },
    /// A feature is NaN or infinite.
    #[error("expected finite features, found {found} in row {row} of the {set}")]
    NotFinite {
        /// Which set: "training set", "test set", "index" or "queries".
        set: &'static str,
        /// The image's row, from 0.
        row: usize,
        /// The feature.
        found: f32,
    },
    /// Feature vectors of two lengths are to be compared.
    #[error("expected feature vectors of length {expected}, found {found}")]
    FeatureSize {
        /// Features of each image of the first set.
        expected: usize,
        /// Features of each image of the second set.
        found: usize,
    },
    /// Queries whose vectors cannot be compared with those of an index, for they were made in another way.
    #[error("expected queries prepared as the index's images, {expected}; found {found}")]
    Preparation {
        /// How the index's images were prepared.
        expected: String,
        /// How the queries were prepared.
        found: String,
    },
    /// Two lists that must have one entry for each other differ in length.
    #[error("expected {each} for each of {expected} {things}, found {found}")]
    Count {
        /// What there must be for each thing: "one label", "a name".
        each: &'static str,
        /// The things: "feature vectors", "classes".
        things: &'static str,
        /// How many things there are.
        expected: usize,
        /// How many entries were found for them.
        found: usize,
    },
    /// An image of a labelled set has no label.
    #[error("expected a label for every image to evaluate, found none for {name}")]
    Unlabelled {
        /// The image's name.
        name: String,
    },
    /// A file holds something else.
    #[error("expected {expected} in {}, found {found}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// The name of a file for vectors says of no known format.
    #[error("expected a file name that ends in .npy or .safetensors, found {}", path.display())]
    FileName {
        /// The file.
        path: PathBuf,
    },
    /// Features of patches are to go into an index, which has one vector an image.
    #[error("expected a file name that ends in .npy for features of patches, found {}", path.display())]
    PatchesInIndex {
        /// The file.
        path: PathBuf,
    },
    /// A file of vectors has been begun, and not finished.
    #[error("expected no unfinished vectors, found {vectors} in {}", path.display())]
    Unfinished {
        /// The folder that holds them.
        path: PathBuf,
        /// How many there are.
        vectors: usize,
    },
    /// Vectors that were begun with another encoder, or of other images.
    #[error("expected the vectors in {} to be of {expected}; found {found}", path.display())]
    OtherVectors {
        /// The folder that holds them.
        path: PathBuf,
        /// What they are to be.
        expected: String,
        /// What they are.
        found: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The encoder cannot be built, or doesn't take images of the transform's size.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Weights of another architecture, or a damaged file.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// The data set failed as a whole.
    #[error(transparent)]
    Data(#[from] DataError),
    /// An image cannot be transformed.
    #[error(transparent)]
    Augmentation(#[from] AugmentationError),
    /// The device failed to hand out what it computed.
    #[error("the device failed: {0}")]
    Device(String),
}

impl EmbedError {
    /// The error for two lists of different lengths; nothing if they are equal.
    ///
    /// # Errors
    ///
    /// [`EmbedError::Count`] unless `found` is `expected`.
    pub fn check_count(
        each: &'static str,
        things: &'static str,
        expected: usize,
        found: usize,
    ) -> Result<(), Self> {
        if expected == found { Ok(()) } else { Err(Self::Count { each, things, expected, found }) }
    }

    /// The error for a device that failed, from Burn's reason.
    pub fn device(reason: impl Debug) -> Self {
        Self::Device(format!("{reason:?}"))
    }

    /// The error for a file that holds something else than `expected`.
    pub fn file(
        path: impl AsRef<Path>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::File {
            path: path.as_ref().to_owned(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    /// The same error, if it is about a row after so many others.
    pub(crate) fn after_rows(self, rows: usize) -> Self {
        match self {
            Self::NotFinite { set, row, found } => Self::NotFinite { set, row: row + rows, found },
            other => other,
        }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }
}
