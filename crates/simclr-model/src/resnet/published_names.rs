//! The names of a ResNet's parameters, which torchvision and timm share.

use super::network::ResNet;
use crate::published_names::{Naming, PublishedNames, index, published_leaf};

impl PublishedNames for ResNet {
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String> {
        if naming == Naming::Simclr {
            return None;
        }
        let (leaf, layer) = path.split_last()?;
        let layer = match *layer {
            ["stem", "conv"] => "conv1".to_owned(),
            ["stem", "norm"] => "bn1".to_owned(),
            ["blocks", block, "body", position, kind] => {
                let kind = if kind == "conv" { "conv" } else { "bn" };
                format!("{}.{kind}{}", self.block_name(block)?, index(position)? + 1)
            }
            ["blocks", block, "shortcut", kind] => {
                let position = usize::from(kind != "conv");
                format!("{}.downsample.{position}", self.block_name(block)?)
            }
            _ => return None,
        };
        Some(format!("{layer}.{}", published_leaf(leaf)))
    }
}

impl ResNet {
    fn block_name(&self, block: &str) -> Option<String> {
        let (stage, place) = self.depth.place_of_block(index(block)?)?;
        Some(format!("layer{}.{place}", stage + 1))
    }
}
