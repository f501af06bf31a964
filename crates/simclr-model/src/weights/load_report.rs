//! What became of a weight file's tensors.

use std::fmt;

use crate::published_names::Naming;

/// What [`WeightFile::load`](crate::WeightFile::load) found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadReport {
    /// Whose names the tensors have.
    pub naming: Naming,
    /// Number of tensors that were loaded.
    pub loaded: usize,
    /// Names that the encoder needs and the file doesn't have; empty unless loaded by
    /// [`load_matching`](crate::WeightFile::load_matching).
    pub missing: Vec<String>,
    /// Names that the file has and the encoder doesn't need; empty unless loaded by
    /// [`load_matching`](crate::WeightFile::load_matching).
    pub unused: Vec<String>,
    /// The classifier and the counters of batches that other libraries' files have beside the encoder.
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

/// What the layers of a classifier on top of an encoder are called in torchvision and timm.
const CLASSIFIERS: [&str; 4] = ["fc.", "classifier.", "heads.", "head."];

/// Whether a tensor of another library's file is no part of the encoder.
pub(super) fn is_beside_encoder(name: &str) -> bool {
    is_counter(name) || CLASSIFIERS.iter().any(|classifier| name.starts_with(classifier))
}

/// Whether a tensor counts the batches that a normalisation has seen.
pub(super) fn is_counter(name: &str) -> bool {
    name.ends_with(COUNTER)
}

/// The last part of such a tensor's name.
pub(super) const COUNTER: &str = "num_batches_tracked";
