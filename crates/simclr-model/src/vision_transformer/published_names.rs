//! The names of a vision transformer's parameters.

use super::network::VisionTransformer;
use crate::published_names::{Naming, PublishedNames, published_leaf};

impl PublishedNames for VisionTransformer {
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String> {
        match naming {
            Naming::Simclr | Naming::EfficientNetPytorch | Naming::Sequential { .. } => None,
            Naming::Torchvision => torchvision_name(path),
            Naming::Timm => timm_name(path),
        }
    }

    fn is_position_grid(&self, path: &[&str]) -> bool {
        path == ["positions"]
    }
}

fn torchvision_name(path: &[&str]) -> Option<String> {
    let leaf = published_leaf(path.last()?);
    Some(match *path {
        ["class_token"] => "class_token".to_owned(),
        ["positions"] => "encoder.pos_embedding".to_owned(),
        ["patch_embedding", _] => format!("conv_proj.{leaf}"),
        ["norm", _] => format!("encoder.ln.{leaf}"),
        ["blocks", block, ref layer @ .., _] => {
            let layer = match *layer {
                ["attention_norm"] => format!("ln_1.{leaf}"),
                // torchvision keeps this one in the attention itself, not in a layer of it.
                ["attention", "input"] => format!("self_attention.in_proj_{leaf}"),
                ["attention", "output"] => format!("self_attention.out_proj.{leaf}"),
                ["mlp_norm"] => format!("ln_2.{leaf}"),
                ["mlp_hidden"] => format!("mlp.0.{leaf}"),
                ["mlp_output"] => format!("mlp.3.{leaf}"),
                _ => return None,
            };
            format!("encoder.layers.encoder_layer_{block}.{layer}")
        }
        _ => return None,
    })
}

fn timm_name(path: &[&str]) -> Option<String> {
    let leaf = published_leaf(path.last()?);
    Some(match *path {
        ["class_token"] => "cls_token".to_owned(),
        ["positions"] => "pos_embed".to_owned(),
        ["patch_embedding", _] => format!("patch_embed.proj.{leaf}"),
        ["norm", _] => format!("norm.{leaf}"),
        ["blocks", block, ref layer @ .., _] => {
            let layer = match *layer {
                ["attention_norm"] => "norm1",
                ["attention", "input"] => "attn.qkv",
                ["attention", "output"] => "attn.proj",
                ["mlp_norm"] => "norm2",
                ["mlp_hidden"] => "mlp.fc1",
                ["mlp_output"] => "mlp.fc2",
                _ => return None,
            };
            format!("blocks.{block}.{layer}.{leaf}")
        }
        _ => return None,
    })
}
