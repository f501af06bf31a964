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
    /// What the file was published as; `None` for a file of this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<PublishedAs>,
    /// The prefix of the encoder's names in the file; `None` if there is one encoder in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
}

/// Published weights, by what leads to the same ones on any machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedAs {
    /// The address, with the commit: `hf:OWNER/REPO@COMMIT/FILE`, or `torchvision:NAME@WEIGHTS`.
    pub address: String,
    /// The file's SHA-256 sum, in lower-case hexadecimal digits.
    pub sha256: String,
}

impl FirstWeights {
    /// The weights in the file at `path`, below `prefix` if one is given. A relative path is recorded as an absolute one.
    #[must_use]
    pub fn new(path: impl AsRef<Path>, prefix: Option<&str>) -> Self {
        let prefix = prefix.map(str::to_owned);
        Self { path: absolute(path.as_ref()), published: None, prefix }
    }

    /// The same weights, with what the file was published as.
    #[must_use]
    pub fn published_as(self, published: PublishedAs) -> Self {
        Self { published: Some(published), ..self }
    }

    /// Whether these are the same weights as `other`: published ones wherever their file is.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let is_published = self.published.is_some() && self.published == other.published;
        (is_published || self.path == other.path && self.published == other.published)
            && self.prefix == other.prefix
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

/// "dino.pth", or "dino.pth below teacher.backbone"; of published weights the address.
impl fmt::Display for FirstWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.published {
            Some(published) => f.write_str(&published.address)?,
            None => write!(f, "{}", self.path.display())?,
        }
        self.prefix.as_ref().map_or(Ok(()), |prefix| write!(f, " below {prefix}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_weights_are_the_same_wherever_their_file_is() {
        let published = |sha256: &str| PublishedAs {
            address: "hf:o/r@0/model.safetensors".to_owned(),
            sha256: sha256.to_owned(),
        };
        let here = FirstWeights::new("/cache/a", None).published_as(published("1"));
        let there = FirstWeights::new("/other/b", None).published_as(published("1"));
        assert!(here.is_same(&there));
        assert_eq!(here.to_string(), "hf:o/r@0/model.safetensors");
        let others = [
            FirstWeights::new("/cache/a", None).published_as(published("2")),
            FirstWeights::new("/cache/a", Some("teacher")).published_as(published("1")),
            FirstWeights::new("/cache/a", None),
        ];
        assert!(others.iter().all(|other| !here.is_same(other)));
        assert!(others[2].is_same(&others[2]));
        let text = toml::to_string(&here).unwrap();
        assert_eq!(toml::from_str::<FirstWeights>(&text).unwrap(), here);
        let old: FirstWeights = toml::from_str("path = \"/a.pth\"").unwrap();
        assert_eq!(old, FirstWeights::new("/a.pth", None));
    }
}
