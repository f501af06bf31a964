//! What can go wrong with a weight file.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use super::near_miss::NearMiss;
use crate::published_names::{Naming, PublishedNames};

/// Weights that cannot be loaded or saved: the file, and what is wrong.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightError {
    /// The file cannot be read, or holds something else than the module's weights.
    #[error("cannot load weights from {}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        reason: WeightFault,
    },
    /// The file cannot be written.
    #[error("cannot save weights to {}", path.display())]
    Save {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        reason: WeightFault,
    },
}

/// What is wrong with a weight file: it is damaged, hostile or of another network. Nothing in it was executed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightFault {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The file is neither safetensors nor written by `torch.save`.
    #[error(
        "expected a safetensors file or one that torch.save wrote, found one that starts with {}",
        Start(found)
    )]
    Format {
        /// The first bytes of the file.
        found: Vec<u8>,
    },
    /// Something in the file contradicts its format.
    #[error("expected {expected}, found {found}")]
    Malformed {
        /// What the format demands.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// The file holds an object of Python, such as a whole network, instead of named tensors.
    #[error(
        "expected named tensors, found an object of {class}, which was not made: that would run its code; save `model.state_dict()` instead"
    )]
    Object {
        /// The class, with its module in Python.
        class: String,
    },
    /// The encoder's tensors are nowhere in the file, or not all of them, or together with those of a larger network.
    #[error("{0}")]
    Encoder(Box<NearMiss>),
    /// Several places in the file hold all of the encoder's tensors, with different values.
    /// [`below`](crate::WeightFile::below) chooses one.
    #[error(
        "expected one prefix below which the file holds all of the encoder's tensors, found {}: {}",
        prefixes.len(),
        Prefixes(prefixes)
    )]
    Ambiguous {
        /// What the names begin with at each of them.
        prefixes: Vec<String>,
    },
    /// A tensor doesn't hold floating-point numbers.
    #[error("expected {tensor} to be of float32, float64, float16 or bfloat16, found {found}")]
    ElementType {
        /// The tensor's name in the file.
        tensor: String,
        /// The type of its values.
        found: String,
    },
    /// A tensor has another shape than the network's.
    #[error("expected {tensor} of shape {expected:?}, found {found:?}")]
    Shape {
        /// The tensor's name in the file.
        tensor: String,
        /// The network's shape, as the file's library would write it.
        expected: Vec<usize>,
        /// The file's shape.
        found: Vec<usize>,
    },
    /// A weight is NaN or infinite.
    #[error("expected {tensor} to hold finite numbers, found {found}")]
    NotFinite {
        /// The tensor's name in the file.
        tensor: String,
        /// The first such value.
        found: f32,
    },
    /// The file is of another module: tensors are missing, or left over.
    #[error("expected exactly the network's tensors, found {} missing and {} left over", Names(.missing), Names(.unused))]
    Names {
        /// Names that the network needs and the file doesn't have.
        missing: Vec<String>,
        /// Names that the file has and the network doesn't need.
        unused: Vec<String>,
    },
    /// The library doesn't have the network, and so has no names for its parameters.
    #[error(
        "expected a network that {library} has, found one with a parameter {parameter}, for which {library} has no name"
    )]
    Unnamed {
        /// The library.
        library: String,
        /// The parameter's path in the network.
        parameter: String,
    },
    /// The library's network has the same parameters, but computes something else, see
    /// [`PublishedNames::counterpart`](crate::PublishedNames::counterpart).
    #[error(
        "expected the encoder `{counterpart}`, which computes what {library}'s does, found one that would give other features with the same weights"
    )]
    OtherNetwork {
        /// The library.
        library: String,
        /// The name of the encoder that computes what the library's network does.
        counterpart: String,
    },
    /// The safetensors library cannot write the file.
    #[error("expected to write safetensors, found {found}")]
    Write {
        /// The library's message.
        found: String,
    },
}

impl WeightFault {
    /// Refuses an encoder that computes something else than a library's network of the same parameters.
    pub(super) fn unless_same_network(
        encoder: &impl PublishedNames,
        naming: Naming,
    ) -> Result<(), Self> {
        encoder.counterpart(naming).map_or(Ok(()), |counterpart| {
            Err(Self::OtherNetwork { library: naming.to_string(), counterpart })
        })
    }

    pub(super) fn malformed(expected: impl Into<String>, found: impl fmt::Display) -> Self {
        Self::Malformed { expected: expected.into(), found: found.to_string() }
    }
}

/// The first bytes of a file: as text if they are.
struct Start<'a>(&'a [u8]);

impl fmt::Display for Start<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(self.0) {
            Ok(text) if !text.contains(char::is_control) => write!(f, "{text:?}"),
            _ => write!(f, "the bytes {}", hex::encode(self.0)),
        }
    }
}

/// The first few prefixes.
struct Prefixes<'a>(&'a [String]);

impl fmt::Display for Prefixes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let shown = self.0.iter().take(SHOWN).map(|prefix| match prefix.as_str() {
            "" => "the top of the file, with the empty prefix".to_owned(),
            prefix => format!("`{prefix}`"),
        });
        f.write_str(&shown.collect::<Vec<_>>().join(", "))?;
        if self.0.len() > SHOWN { f.write_str(", ...") } else { Ok(()) }
    }
}

/// The number of names, and the first few of them.
struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 4;
        write!(f, "{}", self.0.len())?;
        let shown = self.0.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        match self.0.len() {
            0 => Ok(()),
            1..=SHOWN => write!(f, " ({shown})"),
            _ => write!(f, " ({shown}, ...)"),
        }
    }
}
