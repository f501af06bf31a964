//! What can be wrong with a weight file.

use std::fmt;

use thiserror::Error;

/// A weight file that is damaged, hostile or of another network. Nothing in it was executed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WeightError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A file that is neither of safetensors nor of `torch.save`.
    #[error(
        "expected a safetensors file or one that torch.save wrote, found one that starts with {found:02x?}"
    )]
    Format {
        /// The first bytes of the file.
        found: Vec<u8>,
    },
    /// Something in the file is not what its format says.
    #[error("expected {expected}, found {found}")]
    Malformed {
        /// What the format says.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// A pickle that wants to call something a state dict doesn't need.
    #[error(
        "expected a pickle of nothing but tensors, found one that calls {name}, which was not done; save `model.state_dict()` alone"
    )]
    Call {
        /// The module and function in Python.
        name: String,
    },
    /// A tensor that doesn't hold floating-point numbers.
    #[error("expected {tensor} to be of float32, float64, float16 or bfloat16, found {found}")]
    ElementType {
        /// The tensor's name in the file.
        tensor: String,
        /// The type of its values.
        found: String,
    },
    /// A tensor of another shape than the network's.
    #[error("expected {tensor} of shape {expected:?}, found {found:?}")]
    Shape {
        /// The tensor's name in the file.
        tensor: String,
        /// The network's shape, as the file's library would write it.
        expected: Vec<usize>,
        /// The file's shape.
        found: Vec<usize>,
    },
    /// A weight that is not a finite number.
    #[error("expected {tensor} to hold finite numbers, found {found}")]
    NotFinite {
        /// The tensor's name in the file.
        tensor: String,
        /// The first such value.
        found: f32,
    },
    /// A file of another network: tensors are missing, or left over.
    #[error("expected exactly the network's tensors, found {} missing and {} left over", Names(.missing), Names(.unused))]
    Names {
        /// Names that the network needs and the file doesn't have.
        missing: Vec<String>,
        /// Names that the file has and the network doesn't need.
        unused: Vec<String>,
    },
    /// The network has no names in this library.
    #[error(
        "expected a network that {library} has, found one with a parameter {parameter} that it doesn't name"
    )]
    Unnamed {
        /// The library.
        library: String,
        /// The parameter's path in the network.
        parameter: String,
    },
    /// A safetensors file that could not be written.
    #[error("expected to write safetensors, found {found}")]
    Write {
        /// What its library says.
        found: String,
    },
}

impl WeightError {
    pub(super) fn malformed(expected: impl Into<String>, found: impl fmt::Display) -> Self {
        Self::Malformed { expected: expected.into(), found: found.to_string() }
    }
}

/// How many names there are, and the first few.
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
