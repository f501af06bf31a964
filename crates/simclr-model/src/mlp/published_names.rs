//! The names of an MLP's parameters in `torchvision.ops.MLP`.

use super::Mlp;
use crate::published_names::{Naming, PublishedNames, index, published_leaf};

/// torchvision numbers four layers for a hidden one: linear, normalisation, activation and dropout.
const LAYERS_PER_HIDDEN: usize = 4;

impl PublishedNames for Mlp {
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String> {
        if naming != Naming::Torchvision {
            return None;
        }
        let position = match *path {
            ["hidden", layer, "linear", _] => LAYERS_PER_HIDDEN * index(layer)?,
            ["hidden", layer, "norm", _] => LAYERS_PER_HIDDEN * index(layer)? + 1,
            ["output", _] => LAYERS_PER_HIDDEN * self.hidden.len(),
            _ => return None,
        };
        Some(format!("{position}.{}", published_leaf(path.last()?)))
    }
}
