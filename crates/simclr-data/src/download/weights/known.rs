//! Weights that are known by name.

/// Published weights of which it is known what they are.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct KnownWeights {
    /// Their address, without a revision: the [`WeightAddress`](crate::WeightAddress) that leads to them.
    pub address: &'static str,
    /// The name of the network, as `simclr_model::EncoderConfig` reads it.
    pub encoder: &'static str,
    /// Width and height in pixels of the images that the weights are for.
    pub image_size: u32,
    /// What they have learnt from.
    pub learnt_from: &'static str,
    /// The licence, as their publisher names it. Data sets may have terms of their own.
    pub licence: &'static str,
    /// The size of the file in MiB, up to rounding.
    pub mebibytes: f32,
    /// Mean of red, green and blue by which pixels in 0..=1 were normalised in training.
    pub mean: [f32; 3],
    /// Standard deviation of red, green and blue.
    pub std: [f32; 3],
    /// The file's name in torchvision's folder; `None` for weights on the hub.
    pub(super) file: Option<&'static str>,
}

impl KnownWeights {
    /// Who publishes them: `torchvision`, or the owner of the repository on the hub, such as `timm`.
    #[must_use]
    pub fn source(&self) -> &'static str {
        let (kind, name) = self.address.split_once(':').unwrap_or_default();
        if kind == "hf" { name.split('/').next().unwrap_or_default() } else { kind }
    }

    /// The first digits of the file's SHA-256, which torchvision writes into its name; empty for weights on the hub.
    pub(super) fn sum_in_name(&self) -> &'static str {
        let name = self.file.and_then(|file| file.rsplit_once('-'));
        name.and_then(|(_, end)| end.split('.').next()).unwrap_or_default()
    }
}

/// All weights that are known by name, those of torchvision first.
///
/// ```
/// use simclr_data::known_weights;
///
/// let small = known_weights().iter().find(|known| known.encoder == "vit_small_p16").unwrap();
/// assert_eq!(small.address, "hf:timm/vit_small_patch16_224.augreg_in21k");
/// assert_eq!((small.source(), small.mean), ("timm", [0.5; 3]));
/// ```
#[must_use]
pub fn known_weights() -> &'static [KnownWeights] {
    &KNOWN
}

const IMAGENET: &str = "ImageNet-1k's labels";

/// Mean and standard deviation.
type Pixels = [[f32; 3]; 2];
const IMAGENET_PIXELS: Pixels = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];
const CENTRED_PIXELS: Pixels = [[0.5; 3]; 2];

#[expect(clippy::too_many_arguments, reason = "a row of the table below")]
const fn row(
    address: &'static str,
    file: Option<&'static str>,
    encoder: &'static str,
    image_size: u32,
    learnt_from: &'static str,
    licence: &'static str,
    mebibytes: f32,
    [mean, std]: Pixels,
) -> KnownWeights {
    KnownWeights { address, encoder, image_size, learnt_from, licence, mebibytes, mean, std, file }
}

// Of torchvision's weights of one model, the last are those that it calls DEFAULT. From torchvision 0.29.2, timm 1.0.31 and
// transformers 5.24: `tests/golden/known_weights.py`. Not from there are the words on what they have learnt from, which are the
// publishers' own, and torchvision's and facebook's licences: that of the library, that of SWAG, and those of the repositories.
#[rustfmt::skip]
static KNOWN: [KnownWeights; 78] = [
    row("torchvision:resnet18@IMAGENET1K_V1", Some("resnet18-f37072fd.pth"), "resnet18", 224, IMAGENET, "bsd-3-clause", 44.7, IMAGENET_PIXELS),
    row("torchvision:resnet34@IMAGENET1K_V1", Some("resnet34-b627a593.pth"), "resnet34", 224, IMAGENET, "bsd-3-clause", 83.3, IMAGENET_PIXELS),
    row("torchvision:resnet50@IMAGENET1K_V1", Some("resnet50-0676ba61.pth"), "resnet50", 224, IMAGENET, "bsd-3-clause", 97.8, IMAGENET_PIXELS),
    row("torchvision:resnet50@IMAGENET1K_V2", Some("resnet50-11ad3fa6.pth"), "resnet50", 224, IMAGENET, "bsd-3-clause", 97.8, IMAGENET_PIXELS),
    row("torchvision:resnet101@IMAGENET1K_V1", Some("resnet101-63fe2227.pth"), "resnet101", 224, IMAGENET, "bsd-3-clause", 170.5, IMAGENET_PIXELS),
    row("torchvision:resnet101@IMAGENET1K_V2", Some("resnet101-cd907fc2.pth"), "resnet101", 224, IMAGENET, "bsd-3-clause", 170.5, IMAGENET_PIXELS),
    row("torchvision:resnet152@IMAGENET1K_V1", Some("resnet152-394f9c45.pth"), "resnet152", 224, IMAGENET, "bsd-3-clause", 230.4, IMAGENET_PIXELS),
    row("torchvision:resnet152@IMAGENET1K_V2", Some("resnet152-f82ba261.pth"), "resnet152", 224, IMAGENET, "bsd-3-clause", 230.5, IMAGENET_PIXELS),
    row("torchvision:efficientnet_b0@IMAGENET1K_V1", Some("efficientnet_b0_rwightman-7f5810bc.pth"), "efficientnet_b0", 224, IMAGENET, "bsd-3-clause", 20.5, IMAGENET_PIXELS),
    row("torchvision:efficientnet_b1@IMAGENET1K_V1", Some("efficientnet_b1_rwightman-bac287d4.pth"), "efficientnet_b1", 240, IMAGENET, "bsd-3-clause", 30.1, IMAGENET_PIXELS),
    row("torchvision:efficientnet_b1@IMAGENET1K_V2", Some("efficientnet_b1-c27df63c.pth"), "efficientnet_b1", 240, IMAGENET, "bsd-3-clause", 30.1, IMAGENET_PIXELS),
    row("torchvision:efficientnet_b2@IMAGENET1K_V1", Some("efficientnet_b2_rwightman-c35c1473.pth"), "efficientnet_b2", 288, IMAGENET, "bsd-3-clause", 35.2, IMAGENET_PIXELS),
    row("torchvision:efficientnet_b3@IMAGENET1K_V1", Some("efficientnet_b3_rwightman-b3899882.pth"), "efficientnet_b3", 300, IMAGENET, "bsd-3-clause", 47.2, IMAGENET_PIXELS),
    row("torchvision:convnext_tiny@IMAGENET1K_V1", Some("convnext_tiny-983f1562.pth"), "convnext_tiny", 224, IMAGENET, "bsd-3-clause", 109.1, IMAGENET_PIXELS),
    row("torchvision:convnext_small@IMAGENET1K_V1", Some("convnext_small-0c510722.pth"), "convnext_small", 224, IMAGENET, "bsd-3-clause", 191.7, IMAGENET_PIXELS),
    row("torchvision:convnext_base@IMAGENET1K_V1", Some("convnext_base-6075fbad.pth"), "convnext_base", 224, IMAGENET, "bsd-3-clause", 338.1, IMAGENET_PIXELS),
    row("torchvision:vit_b_16@IMAGENET1K_SWAG_E2E_V1", Some("vit_b_16_swag-9ac1b537.pth"), "vit_base_p16_i384", 384, "Instagram's hashtags, then ImageNet-1k", "cc-by-nc-4.0", 331.4, IMAGENET_PIXELS),
    row("torchvision:vit_b_16@IMAGENET1K_SWAG_LINEAR_V1", Some("vit_b_16_lc_swag-4e70ced5.pth"), "vit_base_p16", 224, "Instagram's hashtags", "cc-by-nc-4.0", 330.3, IMAGENET_PIXELS),
    row("torchvision:vit_b_16@IMAGENET1K_V1", Some("vit_b_16-c867db91.pth"), "vit_base_p16", 224, IMAGENET, "bsd-3-clause", 330.3, IMAGENET_PIXELS),
    row("torchvision:vit_b_32@IMAGENET1K_V1", Some("vit_b_32-d86f8d99.pth"), "vit_base_p32", 224, IMAGENET, "bsd-3-clause", 336.6, IMAGENET_PIXELS),
    row("hf:timm/resnet18.a1_in1k", None, "resnet18", 224, IMAGENET, "apache-2.0", 44.6, IMAGENET_PIXELS),
    row("hf:timm/resnet34.a1_in1k", None, "resnet34", 224, IMAGENET, "apache-2.0", 83.2, IMAGENET_PIXELS),
    row("hf:timm/resnet50.a1_in1k", None, "resnet50", 224, IMAGENET, "apache-2.0", 97.7, IMAGENET_PIXELS),
    row("hf:timm/resnet101.a1h_in1k", None, "resnet101", 224, IMAGENET, "apache-2.0", 170.3, IMAGENET_PIXELS),
    row("hf:timm/resnet152.a1h_in1k", None, "resnet152", 224, IMAGENET, "apache-2.0", 230.2, IMAGENET_PIXELS),
    row("hf:timm/resnet18d.ra2_in1k", None, "resnet18d", 224, IMAGENET, "apache-2.0", 44.7, IMAGENET_PIXELS),
    row("hf:timm/resnet34d.ra2_in1k", None, "resnet34d", 224, IMAGENET, "apache-2.0", 83.3, IMAGENET_PIXELS),
    row("hf:timm/resnet50d.ra2_in1k", None, "resnet50d", 224, IMAGENET, "apache-2.0", 97.8, IMAGENET_PIXELS),
    row("hf:timm/resnet101d.ra2_in1k", None, "resnet101d", 256, IMAGENET, "apache-2.0", 170.4, IMAGENET_PIXELS),
    row("hf:timm/efficientnet_b0.ra_in1k", None, "efficientnet_b0", 224, IMAGENET, "apache-2.0", 20.3, IMAGENET_PIXELS),
    row("hf:timm/efficientnet_b1.ft_in1k", None, "efficientnet_b1", 224, IMAGENET, "apache-2.0", 30.0, IMAGENET_PIXELS),
    row("hf:timm/efficientnet_b2.ra_in1k", None, "efficientnet_b2", 256, IMAGENET, "apache-2.0", 35.0, IMAGENET_PIXELS),
    row("hf:timm/efficientnet_b3.ra2_in1k", None, "efficientnet_b3", 288, IMAGENET, "apache-2.0", 47.0, IMAGENET_PIXELS),
    row("hf:timm/tf_efficientnet_b0.ap_in1k", None, "efficientnet_b0_tf", 224, "ImageNet-1k's labels, with AdvProp", "apache-2.0", 20.3, CENTRED_PIXELS),
    row("hf:timm/tf_efficientnet_b0.ns_jft_in1k", None, "efficientnet_b0_tf", 224, "noisy student: ImageNet-1k's labels, JFT-300M without labels", "apache-2.0", 20.3, IMAGENET_PIXELS),
    row("hf:timm/tf_efficientnet_b1.ap_in1k", None, "efficientnet_b1_tf", 240, "ImageNet-1k's labels, with AdvProp", "apache-2.0", 30.0, CENTRED_PIXELS),
    row("hf:timm/tf_efficientnet_b1.ns_jft_in1k", None, "efficientnet_b1_tf", 240, "noisy student: ImageNet-1k's labels, JFT-300M without labels", "apache-2.0", 30.0, IMAGENET_PIXELS),
    row("hf:timm/tf_efficientnet_b2.ap_in1k", None, "efficientnet_b2_tf", 260, "ImageNet-1k's labels, with AdvProp", "apache-2.0", 35.0, CENTRED_PIXELS),
    row("hf:timm/tf_efficientnet_b2.ns_jft_in1k", None, "efficientnet_b2_tf", 260, "noisy student: ImageNet-1k's labels, JFT-300M without labels", "apache-2.0", 35.0, IMAGENET_PIXELS),
    row("hf:timm/tf_efficientnet_b3.ap_in1k", None, "efficientnet_b3_tf", 300, "ImageNet-1k's labels, with AdvProp", "apache-2.0", 47.0, CENTRED_PIXELS),
    row("hf:timm/tf_efficientnet_b3.ns_jft_in1k", None, "efficientnet_b3_tf", 300, "noisy student: ImageNet-1k's labels, JFT-300M without labels", "apache-2.0", 47.0, IMAGENET_PIXELS),
    row("hf:timm/convnext_tiny.fb_in1k", None, "convnext_tiny", 224, IMAGENET, "apache-2.0", 109.1, IMAGENET_PIXELS),
    row("hf:timm/convnext_tiny.fb_in22k", None, "convnext_tiny", 224, "ImageNet-22k's labels", "apache-2.0", 170.2, IMAGENET_PIXELS),
    row("hf:timm/convnext_tiny.dinov3_lvd1689m", None, "convnext_tiny", 224, "DINOv3 on LVD-1689M, without labels", "dinov3-license", 106.1, IMAGENET_PIXELS),
    row("hf:timm/convnext_small.fb_in22k", None, "convnext_small", 224, "ImageNet-22k's labels", "apache-2.0", 252.7, IMAGENET_PIXELS),
    row("hf:timm/convnext_small.dinov3_lvd1689m", None, "convnext_small", 224, "DINOv3 on LVD-1689M, without labels", "dinov3-license", 188.7, IMAGENET_PIXELS),
    row("hf:timm/convnext_base.fb_in22k", None, "convnext_base", 224, "ImageNet-22k's labels", "apache-2.0", 419.4, IMAGENET_PIXELS),
    row("hf:timm/convnext_base.dinov3_lvd1689m", None, "convnext_base", 224, "DINOv3 on LVD-1689M, without labels", "dinov3-license", 334.0, IMAGENET_PIXELS),
    row("hf:timm/vit_tiny_patch16_224.augreg_in21k", None, "vit_tiny_p16", 224, "ImageNet-21k's labels", "apache-2.0", 37.2, CENTRED_PIXELS),
    row("hf:timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k", None, "vit_tiny_p16", 224, "ImageNet-21k's labels, then ImageNet-1k's", "apache-2.0", 21.8, CENTRED_PIXELS),
    row("hf:timm/vit_small_patch16_224.augreg_in21k", None, "vit_small_p16", 224, "ImageNet-21k's labels", "apache-2.0", 114.7, CENTRED_PIXELS),
    row("hf:timm/vit_small_patch16_224.augreg_in21k_ft_in1k", None, "vit_small_p16", 224, "ImageNet-21k's labels, then ImageNet-1k's", "apache-2.0", 84.1, CENTRED_PIXELS),
    row("hf:timm/vit_base_patch16_224.augreg_in21k", None, "vit_base_p16", 224, "ImageNet-21k's labels", "apache-2.0", 391.4, CENTRED_PIXELS),
    row("hf:timm/vit_base_patch16_224.augreg_in21k_ft_in1k", None, "vit_base_p16", 224, "ImageNet-21k's labels, then ImageNet-1k's", "apache-2.0", 330.2, CENTRED_PIXELS),
    row("hf:timm/vit_base_patch32_224.augreg_in21k_ft_in1k", None, "vit_base_p32", 224, "ImageNet-21k's labels, then ImageNet-1k's", "apache-2.0", 336.5, CENTRED_PIXELS),
    row("hf:timm/vit_small_patch16_224.dino", None, "vit_small_p16", 224, "DINO on ImageNet-1k, without labels", "apache-2.0", 82.6, IMAGENET_PIXELS),
    row("hf:timm/vit_small_patch8_224.dino", None, "vit_small_p8", 224, "DINO on ImageNet-1k, without labels", "apache-2.0", 82.7, IMAGENET_PIXELS),
    row("hf:timm/vit_base_patch16_224.dino", None, "vit_base_p16", 224, "DINO on ImageNet-1k, without labels", "apache-2.0", 327.3, IMAGENET_PIXELS),
    row("hf:timm/vit_base_patch8_224.dino", None, "vit_base_p8", 224, "DINO on ImageNet-1k, without labels", "apache-2.0", 327.3, IMAGENET_PIXELS),
    row("hf:timm/vit_base_patch16_224.mae", None, "vit_base_p16", 224, "MAE on ImageNet-1k, without labels", "cc-by-nc-4.0", 327.3, IMAGENET_PIXELS),
    row("hf:timm/vit_small_patch14_dinov2.lvd142m", None, "vit_small_p14_dinov2_i518", 518, "DINOv2 on LVD-142M, without labels", "apache-2.0", 84.1, IMAGENET_PIXELS),
    row("hf:timm/vit_base_patch14_dinov2.lvd142m", None, "vit_base_p14_dinov2_i518", 518, "DINOv2 on LVD-142M, without labels", "apache-2.0", 330.3, IMAGENET_PIXELS),
    row("hf:timm/vit_small_patch14_reg4_dinov2.lvd142m", None, "vit_small_p14_reg4_dinov2_i518", 518, "DINOv2 on LVD-142M, without labels", "apache-2.0", 84.1, IMAGENET_PIXELS),
    row("hf:timm/vit_base_patch14_reg4_dinov2.lvd142m", None, "vit_base_p14_reg4_dinov2_i518", 518, "DINOv2 on LVD-142M, without labels", "apache-2.0", 330.3, IMAGENET_PIXELS),
    row("hf:timm/vit_small_patch16_dinov3.lvd1689m", None, "vit_small_p16_dinov3_i256", 256, "DINOv3 on LVD-1689M, without labels", "dinov3-license", 82.3, IMAGENET_PIXELS),
    row("hf:timm/vit_small_patch16_dinov3_qkvb.lvd1689m", None, "vit_small_p16_dinov3_qkvb_i256", 256, "DINOv3 on LVD-1689M, without labels", "dinov3-license", 82.4, IMAGENET_PIXELS),
    row("hf:timm/vit_base_patch16_dinov3.lvd1689m", None, "vit_base_p16_dinov3_i256", 256, "DINOv3 on LVD-1689M, without labels", "dinov3-license", 326.7, IMAGENET_PIXELS),
    row("hf:timm/vit_base_patch16_dinov3_qkvb.lvd1689m", None, "vit_base_p16_dinov3_qkvb_i256", 256, "DINOv3 on LVD-1689M, without labels", "dinov3-license", 326.8, IMAGENET_PIXELS),
    row("hf:facebook/dino-vits16", None, "vit_small_p16", 224, "DINO on ImageNet-1k, without labels", "apache-2.0", 83.2, IMAGENET_PIXELS),
    row("hf:facebook/dino-vits8", None, "vit_small_p8", 224, "DINO on ImageNet-1k, without labels", "apache-2.0", 83.2, IMAGENET_PIXELS),
    row("hf:facebook/dino-vitb16", None, "vit_base_p16", 224, "DINO on ImageNet-1k, without labels", "apache-2.0", 329.5, IMAGENET_PIXELS),
    row("hf:facebook/dino-vitb8", None, "vit_base_p8", 224, "DINO on ImageNet-1k, without labels", "apache-2.0", 329.6, IMAGENET_PIXELS),
    row("hf:facebook/dinov2-small", None, "vit_small_p14_dinov2", 224, "DINOv2 on LVD-142M, without labels", "apache-2.0", 84.1, IMAGENET_PIXELS),
    row("hf:facebook/dinov2-base", None, "vit_base_p14_dinov2", 224, "DINOv2 on LVD-142M, without labels", "apache-2.0", 330.3, IMAGENET_PIXELS),
    row("hf:facebook/dinov2-with-registers-small", None, "vit_small_p14_reg4_dinov2", 224, "DINOv2 on LVD-142M, without labels", "apache-2.0", 84.1, IMAGENET_PIXELS),
    row("hf:facebook/dinov2-with-registers-base", None, "vit_base_p14_reg4_dinov2", 224, "DINOv2 on LVD-142M, without labels", "apache-2.0", 330.3, IMAGENET_PIXELS),
    row("hf:facebook/dinov3-vits16-pretrain-lvd1689m", None, "vit_small_p16_dinov3_qkvb", 224, "DINOv3 on LVD-1689M, without labels", "dinov3-license", 82.4, IMAGENET_PIXELS),
    row("hf:facebook/dinov3-vitb16-pretrain-lvd1689m", None, "vit_base_p16_dinov3_qkvb", 224, "DINOv3 on LVD-1689M, without labels", "dinov3-license", 326.8, IMAGENET_PIXELS),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::Deserialize;

    use super::*;
    use crate::WeightAddress;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Golden {
        address: String,
        file: Option<String>,
        is_default: Option<bool>,
        image_size: u32,
        licence: Option<String>,
        mebibytes: f32,
        mean: [f32; 3],
        std: [f32; 3],
    }

    #[test]
    fn what_is_known_is_what_torchvision_and_timm_say() {
        let golden = include_str!("../../../tests/golden/known_weights.json");
        let golden: Vec<Golden> = serde_json::from_str(golden).unwrap();
        assert_eq!(golden.len(), known_weights().len());
        for (known, golden) in known_weights().iter().zip(golden) {
            let Golden { address, image_size, mebibytes, mean, std, .. } = golden;
            assert_eq!(known.address, address);
            assert_eq!(known.file, golden.file.as_deref(), "{address}");
            assert_eq!(known.image_size, image_size, "{address}");
            assert_eq!((known.mean, known.std), (mean, std), "{address}");
            assert!((known.mebibytes - mebibytes).abs() < 0.06, "{address}");
            if let Some(licence) = golden.licence {
                assert_eq!(known.licence, licence, "{address}");
            }
            if let Some(is_default) = golden.is_default {
                let model = address.split('@').next().unwrap();
                let by_default: WeightAddress = model.parse().unwrap();
                assert_eq!(by_default.to_string() == address, is_default, "{address}");
            }
        }
    }

    #[test]
    fn each_address_is_one_and_leads_to_its_row() {
        let mut addresses = BTreeSet::new();
        for known in known_weights() {
            assert!(addresses.insert(known.address), "{}", known.address);
            let address: WeightAddress = known.address.parse().unwrap();
            assert_eq!(address.known(), Some(known));
            let sum = known.sum_in_name();
            assert_eq!(sum.len(), if known.file.is_some() { 8 } else { 0 }, "{}", known.address);
            assert!(sum.bytes().all(|byte| byte.is_ascii_hexdigit()), "{sum}");
        }
    }
}
