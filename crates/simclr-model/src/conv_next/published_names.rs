//! The names of a `ConvNeXt`'s parameters.

use super::network::ConvNext;
use crate::published_names::{Naming, PublishedNames, index, published_leaf};

impl PublishedNames for ConvNext {
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String> {
        match naming {
            Naming::Torchvision => torchvision_name(path),
            Naming::Timm => timm_name(path),
            _ => None,
        }
    }

    /// The last normalisation belongs to the encoder, and lies beside the classifier in both libraries.
    fn beside(&self, naming: Naming) -> Option<&'static str> {
        match naming {
            Naming::Torchvision => Some("classifier.2."),
            Naming::Timm => Some("head.fc."),
            _ => None,
        }
    }

    fn has_pixel_axes(&self, path: &[&str], naming: Naming) -> bool {
        naming == Naming::Torchvision && path.last() == Some(&"layer_scale")
    }
}

/// torchvision numbers stem, stages and what lies between them in a row.
fn torchvision_name(path: &[&str]) -> Option<String> {
    let leaf = published_leaf(path.last()?);
    Some(match *path {
        ["stem", _] => format!("features.0.0.{leaf}"),
        ["stem_norm", _] => format!("features.0.1.{leaf}"),
        ["norm", _] => format!("classifier.0.{leaf}"),
        ["stages", stage, "downsampling", layer, _] => {
            let layer = usize::from(layer != "norm");
            format!("features.{}.{layer}.{leaf}", 2 * index(stage)?)
        }
        ["stages", stage, "blocks", block, ref layer @ ..] => {
            let layer = match *layer {
                ["layer_scale"] => "layer_scale".to_owned(),
                ["depthwise", _] => format!("block.0.{leaf}"),
                ["norm", _] => format!("block.2.{leaf}"),
                ["mlp_hidden", _] => format!("block.3.{leaf}"),
                ["mlp_output", _] => format!("block.5.{leaf}"),
                _ => return None,
            };
            format!("features.{}.{block}.{layer}", 2 * index(stage)? + 1)
        }
        _ => return None,
    })
}

fn timm_name(path: &[&str]) -> Option<String> {
    let leaf = published_leaf(path.last()?);
    Some(match *path {
        ["stem", _] => format!("stem.0.{leaf}"),
        ["stem_norm", _] => format!("stem.1.{leaf}"),
        ["norm", _] => format!("head.norm.{leaf}"),
        ["stages", stage, "downsampling", layer, _] => {
            format!("stages.{stage}.downsample.{}.{leaf}", usize::from(layer != "norm"))
        }
        ["stages", stage, "blocks", block, ref layer @ ..] => {
            let layer = match *layer {
                ["layer_scale"] => "gamma".to_owned(),
                ["depthwise", _] => format!("conv_dw.{leaf}"),
                ["norm", _] => format!("norm.{leaf}"),
                ["mlp_hidden", _] => format!("mlp.fc1.{leaf}"),
                ["mlp_output", _] => format!("mlp.fc2.{leaf}"),
                _ => return None,
            };
            format!("stages.{stage}.blocks.{block}.{layer}")
        }
        _ => return None,
    })
}
