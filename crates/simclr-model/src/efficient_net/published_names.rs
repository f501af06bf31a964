//! The names of an `EfficientNet`'s parameters.

use super::config::TENSORFLOW;
use super::network::EfficientNet;
use crate::published_names::{Naming, PublishedNames, index, published_leaf};

/// The number of torchvision's last convolution, which follows the stem and seven stages.
const TORCHVISION_HEAD: usize = 8;

impl PublishedNames for EfficientNet {
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String> {
        let (leaf, layer) = path.split_last()?;
        let layer = match naming {
            Naming::Torchvision => self.torchvision_layer(layer),
            Naming::Timm => self.timm_layer(layer),
            Naming::EfficientNetPytorch => efficientnet_pytorch_layer(layer),
            _ => None,
        }?;
        Some(format!("{layer}.{}", published_leaf(leaf)))
    }

    /// torchvision has the one network, `efficientnet_pytorch` the other; timm has both, under the same names.
    fn counterpart(&self, naming: Naming) -> Option<String> {
        let variant = self.variant;
        match naming {
            Naming::Torchvision if self.tensorflow => Some(variant.to_string()),
            Naming::EfficientNetPytorch if !self.tensorflow => {
                Some(format!("{variant}{TENSORFLOW}"))
            }
            _ => None,
        }
    }
}

impl EfficientNet {
    /// torchvision numbers the layers of a block; without an expansion the numbers are one less.
    fn torchvision_layer(&self, layer: &[&str]) -> Option<String> {
        let conv_norm = |kind: &str| usize::from(kind != "conv");
        Some(match *layer {
            ["stem", kind] => format!("features.0.{}", conv_norm(kind)),
            ["head", kind] => format!("features.{TORCHVISION_HEAD}.{}", conv_norm(kind)),
            ["blocks", block, part, kind] => {
                let (stage, place) = self.variant.place_of_block(index(block)?)?;
                let first = usize::from(stage > 0);
                let position = match part {
                    "expand" => 0,
                    "depthwise" => first,
                    "excitation" => first + 1,
                    "project" => first + 2,
                    _ => return None,
                };
                let block = format!("features.{}.{place}.block.{position}", stage + 1);
                match kind {
                    "reduce" => format!("{block}.fc1"),
                    "expand" => format!("{block}.fc2"),
                    kind => format!("{block}.{}", conv_norm(kind)),
                }
            }
            _ => return None,
        })
    }

    /// The first stage doesn't expand; its blocks are of another class in timm, with other names.
    fn timm_layer(&self, layer: &[&str]) -> Option<String> {
        Some(match *layer {
            ["stem", "conv"] => "conv_stem".to_owned(),
            ["stem", "norm"] => "bn1".to_owned(),
            ["head", "conv"] => "conv_head".to_owned(),
            ["head", "norm"] => "bn2".to_owned(),
            ["blocks", block, part, kind] => {
                let (stage, place) = self.variant.place_of_block(index(block)?)?;
                let layer = match (part, kind, stage) {
                    ("excitation", "reduce", _) => "se.conv_reduce",
                    ("excitation", "expand", _) => "se.conv_expand",
                    ("depthwise", "conv", _) => "conv_dw",
                    ("depthwise", "norm", 0) | ("expand", "norm", _) => "bn1",
                    ("project", "conv", 0) | ("expand", "conv", _) => "conv_pw",
                    ("project", "norm", 0) | ("depthwise", "norm", _) => "bn2",
                    ("project", "conv", _) => "conv_pwl",
                    ("project", "norm", _) => "bn3",
                    _ => return None,
                };
                format!("blocks.{stage}.{place}.{layer}")
            }
            _ => return None,
        })
    }
}

fn efficientnet_pytorch_layer(layer: &[&str]) -> Option<String> {
    Some(match *layer {
        ["stem", "conv"] => "_conv_stem".to_owned(),
        ["stem", "norm"] => "_bn0".to_owned(),
        ["head", "conv"] => "_conv_head".to_owned(),
        ["head", "norm"] => "_bn1".to_owned(),
        ["blocks", block, part, kind] => {
            let layer = match (part, kind) {
                ("expand", "conv") => "_expand_conv",
                ("expand", "norm") => "_bn0",
                ("depthwise", "conv") => "_depthwise_conv",
                ("depthwise", "norm") => "_bn1",
                ("excitation", "reduce") => "_se_reduce",
                ("excitation", "expand") => "_se_expand",
                ("project", "conv") => "_project_conv",
                ("project", "norm") => "_bn2",
                _ => return None,
            };
            format!("_blocks.{block}.{layer}")
        }
        _ => return None,
    })
}
