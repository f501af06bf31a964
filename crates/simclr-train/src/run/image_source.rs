//! Where the images of a run are.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use simclr_augment::Ground;
use simclr_data::{DataError, Opening, Splits};

/// Where the images of a run are: arguments of [`Splits::open_or_sample`]. A run's `config.toml` keeps them, so that
/// the run can go on from any folder.
///
/// ```
/// use simclr_augment::Ground;
/// use simclr_data::ImageDataset;
/// use simclr_train::ImageSource;
///
/// let sample = ImageSource { folder: None, limit: Some(20) };
/// assert_eq!(sample.open(Ground::WHITE)?.pretrain.len(), 20);
/// # Ok::<(), simclr_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSource {
    /// The folder, tar archive or pattern of shards; `None` for the built-in sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// Images that are used of it; `None` for all, or as many as the sample has by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl ImageSource {
    /// The source with its folder's absolute path, unchanged if that cannot be told.
    #[must_use]
    pub fn absolute(self) -> Self {
        Self { folder: self.folder.map(|folder| absolute(&folder)), ..self }
    }

    /// Opens the images, with what is transparent on `ground`: that of the run's config
    /// ([`AugmentationConfig::ground`](simclr_augment::AugmentationConfig::ground)).
    ///
    /// # Errors
    ///
    /// As [`Splits::open_or_sample`].
    pub fn open(&self, ground: Ground) -> Result<Splits, DataError> {
        self.open_with(&Opening { ground: ground.0, ..Opening::default() })
    }

    /// Like [`open`](Self::open), with an index file: that of the run is [`RunDirectory::data_index`](crate::RunDirectory::data_index).
    ///
    /// # Errors
    ///
    /// As [`Splits::open_or_sample`].
    pub fn open_with(&self, opening: &Opening) -> Result<Splits, DataError> {
        Splits::open_or_sample(self.folder.as_ref(), self.limit, opening)
    }
}

/// The absolute path; `path` itself if it cannot be told.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
