//! Where a run's encoder begins.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use simclr_augment::Normalization;
use simclr_embed::EmbedderFile;
use simclr_model::{WeightError, WeightFile};

use crate::error::TrainError;
use crate::run::image_source::absolute;

/// The weights that a run's encoder begins with: a file, and the place in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstWeights {
    /// The file, see [`WeightFile`].
    pub path: PathBuf,
    /// The prefix of the encoder's names in the file; `None` if there is one encoder in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

impl FirstWeights {
    /// The weights in the file at `path`, below `prefix` if one is given. A relative path is recorded as an absolute one.
    #[must_use]
    pub fn new(path: impl AsRef<Path>, prefix: Option<&str>) -> Self {
        Self { path: absolute(path.as_ref()), prefix: prefix.map(str::to_owned) }
    }

    /// The normalisation that the weights were trained with, as far as the file says it, see
    /// [`EmbedderFile::normalization_of`]. The encoder computes the features that it has learnt from such pixels alone.
    ///
    /// # Errors
    ///
    /// [`TrainError::Weights`] if the file cannot be read, [`TrainError::Embed`] if its header is not what it should be.
    pub fn normalization(&self) -> Result<Normalization, TrainError> {
        Ok(EmbedderFile::normalization_of(&self.open()?)?)
    }

    /// Opens the file, at that place.
    pub(crate) fn open(&self) -> Result<WeightFile, WeightError> {
        let file = WeightFile::open(&self.path)?;
        Ok(match &self.prefix {
            Some(prefix) => file.below(prefix),
            None => file,
        })
    }
}

/// "dino.pth", or "dino.pth below teacher.backbone".
impl fmt::Display for FirstWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.prefix.as_ref().map_or(Ok(()), |prefix| write!(f, " below {prefix}"))
    }
}
