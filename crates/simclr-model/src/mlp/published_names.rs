//! The names of an MLP's parameters in `torchvision.ops.MLP`.

use super::Mlp;
use crate::layers::LinearNorm;
use crate::published_names::{Naming, PublishedNames, index, published_leaf};

impl Mlp {
    /// torchvision numbers the layers of a hidden one: linear, normalisation if there is one, activation and dropout.
    fn layers_per_hidden(&self) -> usize {
        if self.hidden.iter().any(LinearNorm::is_normalised) { 4 } else { 3 }
    }
}

impl PublishedNames for Mlp {
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String> {
        if naming != Naming::Torchvision {
            return None;
        }
        let layers = self.layers_per_hidden();
        let position = match *path {
            ["hidden", layer, "linear", _] => layers * index(layer)?,
            ["hidden", layer, "norm", _] => layers * index(layer)? + 1,
            ["output", _] => layers * self.hidden.len(),
            _ => return None,
        };
        Some(format!("{position}.{}", published_leaf(path.last()?)))
    }
}
