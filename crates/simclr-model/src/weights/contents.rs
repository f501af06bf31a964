//! What a file of weights holds.

use std::collections::BTreeMap;

use super::safetensors_header::WeightMetadata;
use super::stored_tensor::StoredTensors;

/// What a file of weights holds: tensors, and what could not be read as one.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) tensors: StoredTensors,
    /// Objects of Python that were not made, by their places in the file.
    pub(super) objects: BTreeMap<String, PassedObject>,
    pub(super) metadata: WeightMetadata,
    /// The tensors of the file that are not below the prefix that was chosen: whole names and shapes.
    pub(super) elsewhere: Vec<(String, Vec<usize>)>,
    /// What [`below`](Self::below) took away from the names; `None` if nothing was chosen.
    base: Option<String>,
}

/// An object of Python that was not made, since that runs code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PassedObject {
    /// The class, with its module.
    pub(super) class: String,
    /// Whether it is a network with layers inside, as `torch.save(model)` writes.
    pub(super) is_network: bool,
}

impl Contents {
    /// All that a file holds.
    pub(super) fn new(
        tensors: StoredTensors,
        objects: BTreeMap<String, PassedObject>,
        metadata: WeightMetadata,
    ) -> Self {
        Self { tensors, objects, metadata, elsewhere: Vec::new(), base: None }
    }

    /// Keeps what is below a prefix, and takes the prefix away from the names.
    pub(super) fn below(mut self, prefix: &str) -> Self {
        fn inside<T>(named: BTreeMap<String, T>, prefix: &str) -> BTreeMap<String, T> {
            let stripped = |name: &str| name.strip_prefix(prefix).map(str::to_owned);
            named.into_iter().filter_map(|(name, value)| Some((stripped(&name)?, value))).collect()
        }
        let outside = self.tensors.iter().filter(|(name, _)| !name.starts_with(prefix));
        let mut outside: Vec<_> = outside
            .map(|(name, tensor)| (self.whole_name(name), tensor.shape().to_vec()))
            .collect();
        self.elsewhere.append(&mut outside);
        Self {
            tensors: inside(self.tensors, prefix),
            objects: inside(self.objects, prefix),
            base: Some(self.base.unwrap_or_default() + prefix),
            ..self
        }
    }

    /// Whether a prefix was chosen.
    pub(super) fn is_chosen(&self) -> bool {
        self.base.is_some()
    }

    /// The name in the whole file.
    pub(super) fn whole_name(&self, name: &str) -> String {
        format!("{}{name}", self.base.as_deref().unwrap_or(""))
    }
}
