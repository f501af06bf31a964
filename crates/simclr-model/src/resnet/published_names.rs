//! The names of a ResNet's parameters, which torchvision and timm share; networks with a deep stem are timm's alone.

use super::network::ResNet;
use crate::published_names::{Naming, PublishedNames, index, published_leaf};

impl PublishedNames for ResNet {
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String> {
        let is_deep = !self.before_stem.is_empty();
        if is_deep && naming != Naming::Timm {
            return None;
        }
        let (leaf, layer) = path.split_last()?;
        let layer = match *layer {
            ["stem", "conv"] if is_deep => "conv1.6".to_owned(),
            ["stem", kind] => stem_name(kind, naming)?.to_owned(),
            // Each is followed by its normalisation and an activation.
            ["before_stem", position, kind] => {
                format!("conv1.{}", 3 * index(position)? + usize::from(kind != "conv"))
            }
            ["blocks", block, "body", position, kind] => {
                let kind = if kind == "conv" { "conv" } else { "bn" };
                format!("{}.{kind}{}", self.block_name(block, naming)?, index(position)? + 1)
            }
            ["blocks", block, "shortcut", kind] => {
                // In a deep network, pooling or an identity comes first.
                let position = usize::from(kind != "conv") + usize::from(is_deep);
                format!("{}.downsample.{position}", self.block_name(block, naming)?)
            }
            _ => return None,
        };
        Some(format!("{layer}.{}", published_leaf(leaf)))
    }
}

impl ResNet {
    fn block_name(&self, block: &str, naming: Naming) -> Option<String> {
        let (stage, place) = self.depth.place_of_block(index(block)?)?;
        match naming {
            Naming::Torchvision | Naming::Timm => Some(format!("layer{}.{place}", stage + 1)),
            Naming::Sequential { first_stage } => Some(format!("{}.{place}", first_stage + stage)),
            _ => None,
        }
    }
}

fn stem_name(kind: &str, naming: Naming) -> Option<&'static str> {
    match (naming, kind) {
        (Naming::Torchvision | Naming::Timm, "conv") => Some("conv1"),
        (Naming::Torchvision | Naming::Timm, _) => Some("bn1"),
        (Naming::Sequential { .. }, "conv") => Some("0"),
        (Naming::Sequential { .. }, _) => Some("1"),
        _ => None,
    }
}
