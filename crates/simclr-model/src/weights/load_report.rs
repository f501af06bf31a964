//! What a network took from a weight file.

use std::fmt;

use crate::published_names::Naming;

/// What [`WeightFile::load`](crate::WeightFile::load) took from a file and what it left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadReport {
    /// The library whose names the tensors have.
    pub naming: Naming,
    /// The number of tensors that were loaded.
    pub loaded: usize,
    /// Names that the encoder needs and the file doesn't have. Only
    /// [`load_matching`](crate::WeightFile::load_matching) lets there be any.
    pub missing: Vec<String>,
    /// Names that the file has and the encoder doesn't need. Only
    /// [`load_matching`](crate::WeightFile::load_matching) lets there be any.
    pub unused: Vec<String>,
    /// Names that another library's file has beside the encoder: the classifier and the counters of batches.
    pub ignored: Vec<String>,
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tensors with {}'s names", self.loaded, self.naming)?;
        for (names, what) in [(&self.missing, "missing"), (&self.unused, "left over")] {
            if !names.is_empty() {
                write!(f, ", {} {what}: {}", names.len(), names.join(", "))?;
            }
        }
        let classifier: Vec<&str> =
            self.ignored.iter().map(String::as_str).filter(|name| !is_counter(name)).collect();
        if !classifier.is_empty() {
            write!(f, ", without the classifier ({})", classifier.join(", "))?;
        }
        Ok(())
    }
}

/// How the names of a classifier's layers begin in torchvision and timm.
const CLASSIFIERS: [&str; 4] = ["fc.", "classifier.", "heads.", "head."];

/// Whether a tensor in another library's file lies beside the encoder.
pub(super) fn is_beside_encoder(name: &str) -> bool {
    is_counter(name) || CLASSIFIERS.iter().any(|classifier| name.starts_with(classifier))
}

/// Whether a tensor counts the batches that a normalisation has seen.
pub(super) fn is_counter(name: &str) -> bool {
    name.ends_with(COUNTER)
}

/// The last part of such a tensor's name.
pub(super) const COUNTER: &str = "num_batches_tracked";
