//! The names of a vision transformer's parameters.

use super::config::VisionTransformerConfig;
use super::family::VisionTransformerFamily;
use super::network::VisionTransformer;
use super::size::VisionTransformerSize;
use crate::published_names::{Naming, PublishedNames, published_leaf};

impl PublishedNames for VisionTransformer {
    /// torchvision has the original alone.
    fn published_name(&self, path: &[&str], naming: Naming) -> Option<String> {
        let family = self.family;
        let has_registers_in_dinov2 = family == VisionTransformerFamily::DinoV2Registers;
        match naming {
            Naming::Torchvision if family == VisionTransformerFamily::Original => {
                torchvision_name(path)
            }
            Naming::Timm => timm_name(path, family),
            Naming::DinoV2 if has_registers_in_dinov2 => metas_name(path, "register_tokens"),
            Naming::DinoV3 if family.is_dinov3() => metas_name(path, "storage_tokens"),
            Naming::Transformers => transformers_name(path, family),
            _ => None,
        }
    }

    /// Queries, keys and values may be apart. Where keys have no bias that counts, there is none of them.
    fn published_parts(&self, path: &[&str], naming: Naming) -> Option<Vec<Option<String>>> {
        let ["blocks", block, "attention", "input", leaf] = *path else {
            return Some(vec![Some(self.published_name(path, naming)?)]);
        };
        let is_biased = self.family == VisionTransformerFamily::DinoV3Biased;
        let names = match naming {
            Naming::Timm if is_biased && leaf == "bias" => {
                ["q", "k", "v"].map(|part| format!("blocks.{block}.attn.{part}_bias"))
            }
            Naming::Transformers if self.family.is_dinov3() => {
                ["q", "k", "v"].map(|part| format!("layer.{block}.attention.{part}_proj.{leaf}"))
            }
            Naming::Transformers => ["query", "key", "value"]
                .map(|part| format!("encoder.layer.{block}.attention.attention.{part}.{leaf}")),
            _ => return Some(vec![Some(self.published_name(path, naming)?)]),
        };
        let mut names = names.map(Some);
        if leaf == "bias" && !self.family.has_key_bias() {
            names[1] = None;
        }
        Some(names.into())
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

    /// A `DINOv3` without biases, in whose file there are some.
    fn larger_with(&self, name: &str, naming: Naming) -> Option<String> {
        let biases: &[&str] = match naming {
            Naming::Timm => &[".attn.q_bias", ".attn.v_bias"],
            Naming::DinoV3 => &[".attn.qkv.bias"],
            Naming::Transformers => &[".attention.q_proj.bias", ".attention.v_proj.bias"],
            _ => &[],
        };
        let has_none = self.family == VisionTransformerFamily::DinoV3;
        (has_none && biases.iter().any(|bias| name.ends_with(bias)))
            .then(|| self.named_as(VisionTransformerFamily::DinoV3Biased))
            .flatten()
    }

    fn beside(&self, naming: Naming) -> Option<&'static str> {
        (naming == Naming::Transformers).then_some("embeddings.mask_token")
    }

    /// With registers, timm has added the class token's position to the class token.
    fn first_position(&self, naming: Naming) -> Option<[&'static str; 2]> {
        let has_registers_in_dinov2 = self.family == VisionTransformerFamily::DinoV2Registers;
        let is_apart = matches!(naming, Naming::DinoV2 | Naming::Transformers);
        (has_registers_in_dinov2 && is_apart).then_some(["positions", "class_token"])
    }

    fn others_before_positions(&self, path: &[&str]) -> Option<usize> {
        (path == ["positions"]).then_some(usize::from(self.family.class_has_position()))
    }
}

impl VisionTransformer {
    /// The name of the network of another family that is like this one otherwise.
    fn named_as(&self, family: VisionTransformerFamily) -> Option<String> {
        let width = self.class_token.dims()[2];
        let size = VisionTransformerSize::of_width(width)?;
        let [patch_size, _] = self.patch_embedding.stride;
        let config = VisionTransformerConfig::new(size, patch_size, self.image_size);
        Some(config.with_family(family).to_string())
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

/// The name in facebookresearch's code, in which registers have a name of their own. The others are those of timm's class of
/// `DINOv2`.
fn metas_name(path: &[&str], registers: &str) -> Option<String> {
    match path {
        ["registers"] => Some(registers.to_owned()),
        _ => timm_name(path, VisionTransformerFamily::DinoV2),
    }
}

fn timm_name(path: &[&str], family: VisionTransformerFamily) -> Option<String> {
    let leaf = published_leaf(path.last()?);
    // Scales are modules in timm's class of DINOv2, and parameters in that of DINOv3.
    let is_parameter = family.is_dinov3();
    Some(match *path {
        ["class_token"] => "cls_token".to_owned(),
        ["registers"] => "reg_token".to_owned(),
        ["blocks", block, scale @ ("attention_scale" | "mlp_scale")] => {
            let branch = branch(scale);
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

/// `transformers` names the layers of each kind otherwise.
fn transformers_name(path: &[&str], family: VisionTransformerFamily) -> Option<String> {
    let leaf = published_leaf(path.last()?);
    let is_original = family == VisionTransformerFamily::Original;
    let is_dinov3 = family.is_dinov3();
    let by_kind = |original, dinov2, dinov3| match family {
        VisionTransformerFamily::Original => original,
        _ if is_dinov3 => dinov3,
        _ => dinov2,
    };
    let blocks = if is_dinov3 { "layer" } else { "encoder.layer" };
    Some(match *path {
        ["class_token"] => "embeddings.cls_token".to_owned(),
        ["registers"] => "embeddings.register_tokens".to_owned(),
        ["positions"] => "embeddings.position_embeddings".to_owned(),
        ["patch_embedding", _] if is_dinov3 => format!("embeddings.patch_embeddings.{leaf}"),
        ["patch_embedding", _] => format!("embeddings.patch_embeddings.projection.{leaf}"),
        ["norm", _] if is_dinov3 => format!("norm.{leaf}"),
        ["norm", _] => format!("layernorm.{leaf}"),
        ["blocks", block, scale @ ("attention_scale" | "mlp_scale")] => {
            format!("{blocks}.{block}.layer_scale{}.lambda1", branch(scale))
        }
        ["blocks", block, ref layer @ .., _] => {
            let layer = match *layer {
                ["attention_norm"] if is_original => "layernorm_before",
                ["attention_norm"] => "norm1",
                ["attention", "output"] if is_dinov3 => "attention.o_proj",
                ["attention", "output"] => "attention.output.dense",
                ["mlp_norm"] if is_original => "layernorm_after",
                ["mlp_norm"] => "norm2",
                ["mlp_hidden"] => by_kind("intermediate.dense", "mlp.fc1", "mlp.up_proj"),
                ["mlp_output"] => by_kind("output.dense", "mlp.fc2", "mlp.down_proj"),
                _ => return None,
            };
            format!("{blocks}.{block}.{layer}.{leaf}")
        }
        _ => return None,
    })
}

/// The number of the branch that a scale is for.
fn branch(scale: &str) -> usize {
    if scale == "attention_scale" { 1 } else { 2 }
}
