//! What `--weights` names: a file, or published weights.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::builder::{PathBufValueParser, TypedValueParser};
use serde_json::{Value, json};
use simclr::augment::Normalization;
use simclr::data::{DownloadError, KnownWeights, PublishedWeights, WeightAddress, WeightCache};
use simclr::embed::EmbedderFile;
use simclr::model::{EncoderConfig, WeightFile};
use simclr::train::{FirstWeights, PublishedAs};

use crate::download_bar::DownloadBar;
use crate::failure::usage;

/// A file of this machine, or the address of published weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum WeightSource {
    File(PathBuf),
    Published(WeightAddress),
}

impl WeightSource {
    /// Reads the value of `--weights`. A file whose name begins as an address does is `./hf:...`.
    pub(crate) fn parser() -> impl TypedValueParser<Value = Self> {
        PathBufValueParser::new().try_map(|path| match path.to_str() {
            Some(text) if WeightAddress::is_meant_by(text) => text.parse().map(Self::Published),
            _ => Ok::<_, DownloadError>(Self::File(path)),
        })
    }

    /// The weights in a file: that one, or one of the cache, into which published weights are fetched.
    pub(crate) fn find(&self, offline: bool) -> Result<FoundWeights> {
        Ok(match self {
            Self::File(path) => FoundWeights { path: path.clone(), published: None },
            Self::Published(address) => fetch(address, offline)?.into(),
        })
    }

    /// For messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Published(address) => address.to_string(),
        }
    }
}

/// Fetches published weights, if they are not in the cache.
pub(crate) fn fetch(address: &WeightAddress, offline: bool) -> Result<PublishedWeights> {
    let mut bar = DownloadBar::default();
    let cache = WeightCache::from_environment()?;
    let cache = if offline { cache.offline(true) } else { cache };
    Ok(cache.fetch(address, &mut |progress| bar.show(progress))?)
}

/// The first weights that a run has recorded, with published ones in a file of this machine's cache.
pub(crate) fn found_again(recorded: &FirstWeights, offline: bool) -> Result<FirstWeights> {
    let Some(published) = &recorded.published else { return Ok(recorded.clone()) };
    let found = fetch(&published.address.parse()?, offline)?;
    if found.sha256 != published.sha256 {
        let PublishedAs { address, sha256 } = published;
        return Err(usage(format!(
            "expected {address} to have the SHA-256 {sha256}, which the run has recorded, found {}",
            found.sha256
        )));
    }
    Ok(FirstWeights::new(found.path, recorded.prefix.as_deref()).published_as(published.clone()))
}

/// Weights in a file of this machine.
#[derive(Debug)]
pub(crate) struct FoundWeights {
    pub(crate) path: PathBuf,
    /// What they were published as; `None` for a file that was named by its path.
    published: Option<PublishedWeights>,
}

impl From<PublishedWeights> for FoundWeights {
    fn from(published: PublishedWeights) -> Self {
        Self { path: published.path.clone(), published: Some(published) }
    }
}

impl FoundWeights {
    /// The path, or the address with the commit.
    pub(crate) fn name(&self) -> String {
        match &self.published {
            Some(published) => published.address.to_string(),
            None => self.path.display().to_string(),
        }
    }

    /// What the table of known weights says of them.
    pub(crate) fn known(&self) -> Option<&'static KnownWeights> {
        self.published.as_ref()?.known
    }

    /// For machines: where they came from.
    pub(crate) fn json(&self) -> Value {
        let sha256 = self.published.as_ref().map(|published| &published.sha256);
        json!({ "name": self.name(), "path": self.path.display().to_string(), "sha256": sha256 })
    }

    /// As a run records them.
    pub(crate) fn first(&self, prefix: Option<&str>) -> FirstWeights {
        let first = FirstWeights::new(&self.path, prefix);
        match &self.published {
            None => first,
            Some(PublishedWeights { address, sha256, .. }) => first
                .published_as(PublishedAs { address: address.to_string(), sha256: sha256.clone() }),
        }
    }
}

/// How pixels were normalised in the training of the weights in a file that was published at `address`: as the file says,
/// else as the table of known weights does, else as ImageNet's.
pub(crate) fn normalization_of(file: &WeightFile, address: Option<&str>) -> Result<Normalization> {
    let known = address.and_then(known_at);
    let recorded = EmbedderFile::recorded_normalization_of(file)?;
    Ok(recorded.or(known.map(normalization)).unwrap_or(Normalization::IMAGENET))
}

/// What the table of known weights says of those that were published at `address`.
pub(crate) fn known_at(address: &str) -> Option<&'static KnownWeights> {
    address.parse::<WeightAddress>().ok()?.known()
}

/// The network that known weights are of, for images of the size that is asked for.
pub(crate) fn encoder_of(known: &KnownWeights, image_size: Option<u32>) -> Result<EncoderConfig> {
    let encoder: EncoderConfig = known.encoder.parse()?;
    Ok(match image_size {
        Some(size) => encoder.for_image_size(size as usize),
        None => encoder,
    })
}

/// Refuses an encoder that is asked for, but is not the network that known weights are of.
pub(crate) fn check_encoder(asked: &EncoderConfig, known: &KnownWeights) -> Result<()> {
    if asked.takes_weights_of(&known.encoder.parse()?) {
        return Ok(());
    }
    let KnownWeights { encoder, address, .. } = known;
    Err(usage(format!(
        "expected the encoder {encoder}, which the weights {address} are of, found {asked}; without --encoder the weights' own \
         is taken"
    )))
}

/// The normalisation of known weights.
pub(crate) fn normalization(known: &KnownWeights) -> Normalization {
    Normalization { mean: known.mean, std: known.std }
}

/// Whether a path is meant where an address was: for hints.
pub(crate) fn looks_like_an_address(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|s| s.len() > 1 && s.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use simclr::data::known_weights;

    use super::*;

    #[test]
    fn every_known_encoder_is_one_of_ours_and_fits_its_images() {
        for known in known_weights() {
            let config: EncoderConfig = known.encoder.parse().unwrap();
            config.check_image_size(known.image_size as usize).unwrap();
            let name = normalization(known).to_string();
            assert!(["imagenet", "centred"].contains(&name.as_str()), "{}: {name}", known.address);
        }
    }

    #[test]
    fn weights_of_another_scheme_are_taken_for_a_slip() {
        for (path, expected) in [
            ("timm:resnet18", true),
            ("https://huggingface.co/timm/resnet18", true),
            ("C:\\resnet18.pth", false),
            ("resnet18.pth", false),
            ("./a b:c", false),
        ] {
            assert_eq!(looks_like_an_address(Path::new(path)), expected, "{path}");
        }
    }
}
