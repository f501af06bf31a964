//! The names of a vision transformer's parameters.

use super::family::VisionTransformerFamily;
use super::network::VisionTransformer;
use crate::published_names::{Naming, PublishedNames, published_leaf};

impl PublishedNames for VisionTransformer {
    /// torchvision has the original alone.
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String> {
        match naming {
            Naming::DinoV2 if self.family == VisionTransformerFamily::DinoV2Registers => match path
            {
                ["registers"] => Some("register_tokens".to_owned()),
                _ => timm_name(path, self.family),
            },
            Naming::Simclr
            | Naming::DinoV2
            | Naming::EfficientNetPytorch
            | Naming::Sequential { .. } => None,
            Naming::Torchvision if self.family != VisionTransformerFamily::Original => None,
            Naming::Torchvision => torchvision_name(path),
            Naming::Timm => timm_name(path, self.family),
        }
    }

    /// Registers, by timm's name and that of `DINOv2`'s authors.
    fn tensors_of_others(&self, naming: Naming) -> &'static [&'static str] {
        // `norm_pre` is CLIP's: a normalisation before the first block.
        match naming {
            Naming::Timm if self.registers.is_none() => {
                &["norm_pre.bias", "norm_pre.weight", "reg_token", "register_tokens"]
            }
            Naming::Timm => &["norm_pre.bias", "norm_pre.weight"],
            _ => &[],
        }
    }

    /// With registers, timm has added the class token's position to the class token.
    fn first_position(&self, naming: Naming) -> Option<[&'static str; 2]> {
        (naming == Naming::DinoV2).then_some(["positions", "class_token"])
    }

    fn others_before_positions(&self, path: &[&str]) -> Option<usize> {
        (path == ["positions"]).then_some(usize::from(self.family.class_has_position()))
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

fn timm_name(path: &[&str], family: VisionTransformerFamily) -> Option<String> {
    let leaf = published_leaf(path.last()?);
    // Scales are modules in timm's class of DINOv2, and parameters in that of DINOv3.
    let is_parameter = family == VisionTransformerFamily::DinoV3;
    Some(match *path {
        ["class_token"] => "cls_token".to_owned(),
        ["registers"] => "reg_token".to_owned(),
        ["blocks", block, scale @ ("attention_scale" | "mlp_scale")] => {
            let branch = if scale == "attention_scale" { 1 } else { 2 };
            if is_parameter {
                format!("blocks.{block}.gamma_{branch}")
            } else {
                format!("blocks.{block}.ls{branch}.gamma")
            }
        }
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
