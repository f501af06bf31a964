//! What a network took from a weight file.

use std::collections::BTreeMap;
use std::fmt;

use crate::published_names::Naming;

/// How many groups of tensors that were left over are written.
const SHOWN: usize = 8;

/// What [`WeightFile::load`](crate::WeightFile::load) took from a file and what it left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadReport {
    /// The library whose names the tensors have.
    pub naming: Naming,
    /// What the file has before those names, such as `state_dict.module.`; nothing at the top of the file.
    pub prefix: String,
    /// The number of tensors that were loaded.
    pub loaded: usize,
    /// The sides of the squares of patches, if learnt positions were resampled: from and to.
    pub resampled: Option<[usize; 2]>,
    /// Names that the encoder needs and the file doesn't have. Only
    /// [`load_matching`](crate::WeightFile::load_matching) lets there be any.
    pub missing: Vec<String>,
    /// Names that the file has beside the encoder's: heads, optimisers, queues. Counters of batches and masks of biases, which
    /// no weight needs, are left out.
    pub left_over: Vec<String>,
}

impl LoadReport {
    /// What was left over, together as far as it lies together: the name up to the part that is not the encoder's, and
    /// the number of tensors.
    fn groups(&self) -> BTreeMap<&str, usize> {
        let mut groups = BTreeMap::new();
        for name in &self.left_over {
            let same = self.prefix.split_inclusive('.').zip(name.split_inclusive('.'));
            let same: usize =
                same.take_while(|(ours, theirs)| ours == theirs).map(|(part, _)| part.len()).sum();
            let end = name[same..].find('.').map_or(name.len(), |dot| same + dot);
            *groups.entry(&name[..end]).or_insert(0) += 1;
        }
        groups
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { naming, prefix, loaded, .. } = self;
        write!(f, "{loaded} tensors with {naming}'s names")?;
        if !prefix.is_empty() {
            write!(f, " below `{prefix}`")?;
        }
        if let Some([from, to]) = self.resampled {
            write!(f, ", the positions resampled from {from} x {from} to {to} x {to} patches")?;
        }
        if !self.missing.is_empty() {
            write!(f, ", {} missing: {}", self.missing.len(), self.missing.join(", "))?;
        }
        if self.left_over.is_empty() {
            return Ok(());
        }
        let groups = self.groups();
        let group = |(name, &count): (&&str, &usize)| match count {
            1 => name.to_string(),
            count => format!("{name} ({count} tensors)"),
        };
        let shown: Vec<String> = groups.iter().take(SHOWN).map(group).collect();
        write!(f, "; left over: {}", shown.join(", "))?;
        match groups.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}

/// Whether a tensor is none that a network learns or measures: it counts the batches that a normalisation has seen, or says of
/// which keys the bias is zero.
pub(super) fn is_bookkeeping(name: &str) -> bool {
    name.ends_with(COUNTER) || name.ends_with(".attn.qkv.bias_mask")
}

/// The last part of the name of a count of batches.
pub(super) const COUNTER: &str = "num_batches_tracked";
