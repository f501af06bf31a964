//! Where published weights are.

use std::{fmt, str::FromStr};

use super::{
    known::{KnownWeights, known_weights},
    names::{is_plain, is_weight_file},
};
use crate::download::error::DownloadError;

/// What the hub's addresses begin with.
const HUB: &str = "hf:";
const TORCHVISION: &str = "torchvision:";

/// Where published weights are: `hf:OWNER/REPO[@REVISION][/FILE]` on the Hugging Face hub, or
/// `torchvision:NAME[@WEIGHTS]`, with the names of torchvision's models and of their weights.
///
/// ```
/// use simclr_data::WeightAddress;
///
/// let address: WeightAddress = "hf:timm/resnet18.a1_in1k@main/model.safetensors".parse()?;
/// assert_eq!(address.to_string(), "hf:timm/resnet18.a1_in1k@main/model.safetensors");
///
/// // Without WEIGHTS, those that torchvision calls DEFAULT.
/// let address: WeightAddress = "torchvision:resnet50".parse()?;
/// assert_eq!(address.to_string(), "torchvision:resnet50@IMAGENET1K_V2");
///
/// assert!("hf:timm/../secret".parse::<WeightAddress>().is_err());
/// # Ok::<(), simclr_data::DownloadError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum WeightAddress {
    /// A file in a repository of the hub.
    Hub(HubAddress),
    /// A file that torchvision publishes.
    Torchvision(&'static KnownWeights),
}

/// A file in a repository of the Hugging Face hub. Its parts are plain names: letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubAddress {
    pub(super) owner: String,
    pub(super) repository: String,
    pub(super) revision: Option<String>,
    pub(super) file: Option<String>,
}

impl HubAddress {
    /// `OWNER/REPO`.
    #[must_use]
    pub fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.repository)
    }

    /// The branch, tag or commit; `None` for the repository's `main`.
    #[must_use]
    pub fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    /// The file; `None` for `model.safetensors`, or else `pytorch_model.bin`.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }
}

impl WeightAddress {
    /// Whether `text` begins as an address does, and so names no file of this machine.
    #[must_use]
    pub fn is_meant_by(text: &str) -> bool {
        text.starts_with(HUB) || text.starts_with(TORCHVISION)
    }

    /// What is known of the weights; `None` if [`known_weights`] doesn't have them.
    #[must_use]
    pub fn known(&self) -> Option<&'static KnownWeights> {
        match self {
            Self::Torchvision(known) => Some(known),
            Self::Hub(address) => {
                let usual = |file: &str| super::hub::USUAL_FILES.contains(&file);
                let of_repository = format!("{HUB}{}", address.repository());
                let known = known_weights().iter().find(|known| known.address == of_repository);
                known.filter(|_| address.file().is_none_or(usual))
            }
        }
    }
}

impl FromStr for WeightAddress {
    type Err = DownloadError;

    fn from_str(text: &str) -> Result<Self, DownloadError> {
        let wrong = |expected: String| DownloadError::Address { expected, found: text.to_owned() };
        if let Some(rest) = text.strip_prefix(HUB) {
            let expected = "hf:OWNER/REPO[@REVISION][/FILE], with plain names and a FILE that ends in .safetensors, .bin, \
                            .pth, .pt, .ckpt or .tar";
            return hub_address(rest).map(Self::Hub).ok_or_else(|| wrong(expected.to_owned()));
        }
        let Some(rest) = text.strip_prefix(TORCHVISION) else {
            return Err(wrong(
                "hf:OWNER/REPO[@REVISION][/FILE] or torchvision:NAME[@WEIGHTS]".to_owned(),
            ));
        };
        torchvision(rest).map(Self::Torchvision).ok_or_else(|| {
            let names = known_weights().iter().filter_map(|known| {
                known.file.map(|_| known.address.trim_start_matches(TORCHVISION))
            });
            let names: Vec<&str> = names.collect();
            wrong(format!("torchvision: and one of {}", names.join(", ")))
        })
    }
}

fn hub_address(text: &str) -> Option<HubAddress> {
    let (owner, rest) = text.split_once('/')?;
    let end = rest.find(['@', '/']).unwrap_or(rest.len());
    let (repository, rest) = rest.split_at(end);
    let (revision, file) = match rest.strip_prefix('@') {
        None => (None, rest.strip_prefix('/')),
        Some(rest) => match rest.split_once('/') {
            None => (Some(rest), None),
            Some((revision, file)) => (Some(revision), Some(file)),
        },
    };
    let plain = is_plain(owner)
        && is_plain(repository)
        && revision.is_none_or(is_plain)
        && file.is_none_or(is_weight_file);
    plain.then(|| HubAddress {
        owner: owner.to_owned(),
        repository: repository.to_owned(),
        revision: revision.map(str::to_owned),
        file: file.map(str::to_owned),
    })
}

/// The weights of that name, or the last ones of the model, which torchvision calls DEFAULT.
fn torchvision(text: &str) -> Option<&'static KnownWeights> {
    let of_torchvision = known_weights().iter().filter(|known| known.file.is_some());
    let (name, weights) = match text.split_once('@') {
        Some((name, weights)) if weights != "DEFAULT" => (name, Some(weights)),
        Some((name, _)) => (name, None),
        None => (text, None),
    };
    of_torchvision.rev().find(|known| {
        let whole = known.address.strip_prefix(TORCHVISION).and_then(|own| own.split_once('@'));
        whole.is_some_and(|(own, named)| own == name && weights.is_none_or(|w| w == named))
    })
}

/// As it is read.
impl fmt::Display for WeightAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Torchvision(known) => f.write_str(known.address),
            Self::Hub(address) => {
                write!(f, "{HUB}{}", address.repository())?;
                address.revision().map_or(Ok(()), |revision| write!(f, "@{revision}"))?;
                address.file().map_or(Ok(()), |file| write!(f, "/{file}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        for text in [
            "hf:timm/resnet18.a1_in1k",
            "hf:timm/resnet18.a1_in1k/pytorch_model.bin",
            "hf:timm/resnet18.a1_in1k@v1.0",
            "hf:o/r@0123456789abcdef0123456789abcdef01234567/weights/epoch-3.ckpt",
            "torchvision:resnet18@IMAGENET1K_V1",
        ] {
            assert_eq!(text.parse::<WeightAddress>().unwrap().to_string(), text);
        }
        for text in ["torchvision:resnet50", "torchvision:resnet50@DEFAULT"] {
            let address: WeightAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), "torchvision:resnet50@IMAGENET1K_V2");
        }
    }

    #[test]
    fn hostile_names_are_refused() {
        for text in [
            "hf:../../x",
            "hf:timm",
            "hf:timm/",
            "hf:/timm/x",
            "hf:timm/..",
            "hf:timm/r/../../x.bin",
            "hf:timm/r//etc/x.bin",
            "hf:timm/r//x.bin",
            "hf:timm/r/%2e%2e/x.bin",
            "hf:timm%2Fr/x",
            "hf:timm/r/C:\\x.bin",
            "hf:timm/r/x.py",
            "hf:timm/r@../x.bin",
            "hf:timm/r@refs/pr/1",
            "hf:timm/r@",
            "hf:timm/r@main/",
            "hf:user:secret@evil.example/r",
            "hf:timm/r\u{1b}[2J",
            "hf:timm/r?x=y",
            "torchvision:",
            "torchvision:resnet50@IMAGENET1K_V3",
            "torchvision:../../x",
            "timm:resnet18",
            "https://huggingface.co/timm/r",
            "",
        ] {
            let error = text.parse::<WeightAddress>().unwrap_err();
            assert!(matches!(error, DownloadError::Address { .. }), "{text}: {error}");
        }
    }

    #[test]
    fn what_is_known_of_a_repository_holds_for_its_usual_files_of_any_revision() {
        let known = |text: &str| text.parse::<WeightAddress>().unwrap().known().is_some();
        assert!(known("hf:timm/resnet18.a1_in1k"));
        assert!(known("hf:timm/resnet18.a1_in1k@main/model.safetensors"));
        assert!(!known("hf:timm/resnet18.a1_in1k/other.safetensors"));
        assert!(!known("hf:someone/resnet18.a1_in1k"));
    }
}
