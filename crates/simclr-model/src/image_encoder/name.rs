//! Reads the names of encoders.

use std::str::FromStr;

use super::config::{DEEP, DROPOUT, EncoderConfig, NO_NORM, STANDARD_WIDTH, UNIT_GAMMA};
use crate::conv_next::{ConvNextConfig, ConvNextSize};
use crate::efficient_net::{EfficientNetConfig, EfficientNetVariant, TENSORFLOW};
use crate::error::ModelError;
use crate::mlp::MlpConfig;
use crate::resnet::{ResNetConfig, ResNetDepth, Stem};
use crate::vision_transformer::{VisionTransformerConfig, pixels};

/// The names in the error about an unknown one.
const KNOWN: &str = "resnet18, resnet34, resnet50, resnet101, resnet152 (resnet50x2 is twice as wide, \
    resnet18_cifar is for images of about 32 pixels, resnet50d has a deep stem, resnet18_gamma1 starts with a last gamma of 1), efficientnet_b0, \
    efficientnet_b1, efficientnet_b2, efficientnet_b3 (efficientnet_b0_tf computes as TensorFlow's), convnext_tiny, convnext_small, convnext_base, \
    vit_tiny_p16, vit_small_p16, vit_base_p16 (with any patch size; vit_tiny_p4_i32 is for images of 32 pixels), vit_small_p14_dinov2, vit_small_p14_reg4_dinov2, vit_small_p16_dinov3, vit_small_p16_dinov3_qkvb, \
    mlp_i32_512_128 (image size, hidden sizes, feature size; mlp_i32_512_128_nonorm_drop0.2 is without batch normalisation and with a dropout of 0.2)";

impl FromStr for EncoderConfig {
    type Err = ModelError;

    /// Reads a name, see [`EncoderConfig`].
    fn from_str(name: &str) -> Result<Self, ModelError> {
        let config = resnet(name)
            .map(Self::ResNet)
            .or_else(|| efficient_net(name).map(Self::EfficientNet))
            .or_else(|| conv_next(name).map(Self::ConvNext))
            .or_else(|| VisionTransformerConfig::from_name(name).map(Self::VisionTransformer))
            .or_else(|| mlp(name));
        config.ok_or_else(|| ModelError::UnknownEncoder {
            found: name.to_owned(),
            known: KNOWN.to_owned(),
        })
    }
}

impl TryFrom<String> for EncoderConfig {
    type Error = ModelError;

    fn try_from(name: String) -> Result<Self, ModelError> {
        name.parse()
    }
}

/// `resnet50x2_cifar_gamma1`.
fn resnet(name: &str) -> Option<ResNetConfig> {
    let (name, zero_init_residual) = match name.strip_suffix(UNIT_GAMMA) {
        Some(name) => (name, false),
        None => (name, true),
    };
    let (name, is_cifar) = match name.strip_suffix("_cifar") {
        Some(name) => (name, true),
        None => (name, false),
    };
    let (depth, width) = match name.split_once('x') {
        Some((depth, factor)) => (depth, width(factor)?),
        None => (name, STANDARD_WIDTH),
    };
    let (depth, stem) = match (depth.strip_suffix(DEEP), is_cifar) {
        (Some(depth), false) => (depth, Stem::Deep),
        (None, false) => (depth, Stem::Standard),
        (_, true) => (depth, Stem::Cifar),
    };
    let (_, depth) = ResNetDepth::ALL.into_iter().find(|(known, _)| *known == depth)?;
    Some(ResNetConfig { depth, width, stem, zero_init_residual })
}

/// The channels for a factor of the standard width: a whole number, at least 1.
fn width(factor: &str) -> Option<usize> {
    let channels = number(factor)? * STANDARD_WIDTH as f64;
    (channels >= 1.0 && channels.fract() == 0.0 && channels <= f64::from(u16::MAX))
        .then_some(channels as usize)
}

/// A decimal number in plain digits, without sign or exponent.
fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if plain { text.parse().ok() } else { None }
}

/// `efficientnet_b0_tf_d0.1`.
fn efficient_net(name: &str) -> Option<EfficientNetConfig> {
    let (variant, stochastic_depth) = match name.split_once("_d") {
        Some((variant, probability)) => (variant, Some(number(probability)?)),
        None => (name, None),
    };
    let (variant, tensorflow) = match variant.strip_suffix(TENSORFLOW) {
        Some(variant) => (variant, true),
        None => (variant, false),
    };
    let (_, variant) = EfficientNetVariant::ALL.into_iter().find(|(known, _)| *known == variant)?;
    let standard = EfficientNetConfig::new(variant);
    let stochastic_depth = stochastic_depth.unwrap_or(standard.stochastic_depth);
    let config = EfficientNetConfig { stochastic_depth, tensorflow, ..standard };
    config.check().is_ok().then_some(config)
}

/// `convnext_tiny_d0.2`.
fn conv_next(name: &str) -> Option<ConvNextConfig> {
    let (size, stochastic_depth) = match name.split_once("_d") {
        Some((size, probability)) => (size, Some(number(probability)?)),
        None => (name, None),
    };
    let (_, size) = ConvNextSize::ALL.into_iter().find(|(known, _)| *known == size)?;
    let stochastic_depth = stochastic_depth.unwrap_or(size.stochastic_depth());
    let config = ConvNextConfig { size, stochastic_depth };
    config.check().is_ok().then_some(config)
}

/// `mlp_i32_512_128_nonorm_drop0.2`.
fn mlp(name: &str) -> Option<EncoderConfig> {
    let (name, dropout) = match name.split_once(DROPOUT) {
        Some((name, probability)) => (name, number(probability)?),
        None => (name, 0.0),
    };
    MlpConfig::check_dropout(dropout).ok()?;
    let (name, norm) = match name.strip_suffix(NO_NORM) {
        Some(name) => (name, false),
        None => (name, true),
    };
    let mut sizes = name.strip_prefix("mlp_i")?.split('_').map(pixels);
    let image_size = sizes.next()??;
    let mut hidden_sizes = sizes.collect::<Option<Vec<usize>>>()?;
    let feature_size = hidden_sizes.pop()?;
    Some(EncoderConfig::Mlp { image_size, hidden_sizes, feature_size, norm, dropout })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAMES: [&str; 35] = [
        "resnet18x0.25_cifar_gamma1",
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "resnet50x2",
        "resnet152x4",
        "resnet18x0.25_cifar",
        "resnet34_cifar",
        "efficientnet_b0",
        "efficientnet_b3",
        "efficientnet_b1_d0",
        "vit_tiny_p16",
        "vit_small_p8",
        "vit_base_p32",
        "vit_tiny_p4_i32",
        "mlp_i32_128",
        "mlp_i8_512_64_16",
        "mlp_i8_512_16_nonorm",
        "mlp_i8_512_16_drop0.2",
        "mlp_i8_512_16_nonorm_drop0.25",
        "efficientnet_b0_tf",
        "efficientnet_b3_tf_d0.1",
        "convnext_tiny",
        "convnext_base",
        "convnext_small_d0",
        "resnet18d",
        "resnet50d_gamma1",
        "resnet18dx0.125",
        "vit_small_p14_dinov2",
        "vit_base_p14_reg4_dinov2_i518",
        "vit_small_p16_dinov3_i256",
        "vit_small_p16_dinov3_qkvb",
        "vit_tiny_p8_dinov2_i32",
    ];

    #[test]
    fn every_name_is_written_as_it_was_read_and_survives_serde() {
        for name in NAMES {
            let config: EncoderConfig = name.parse().unwrap();
            assert_eq!(config.to_string(), name);
            let json = serde_json::to_string(&config).unwrap();
            assert_eq!(json, format!("{name:?}"));
            assert_eq!(serde_json::from_str::<EncoderConfig>(&json).unwrap(), config);
        }
    }

    #[test]
    fn names_that_mean_nothing_are_answered_with_the_known_ones() {
        for name in [
            "",
            "resnet",
            "resnet19",
            "resnet50x",
            "resnet50x0",
            "resnet50x-1",
            "resnet50xinf",
            "resnet50x1e3",
            "resnet50x0.001",
            "resnet50x99999",
            "efficientnet_b4",
            "efficientnet_b0_d1",
            "efficientnet_b0_d",
            "vit_huge_p16",
            "vit_tiny",
            "vit_tiny_p0",
            "vit_tiny_p15",
            "vit_tiny_p16_i0",
            "vit_small_p16_dinov2_i100",
            "vit_small_p14_reg4",
            "vit_small_p14_reg8_dinov2",
            "vit_small_p14_dinov4",
            "vit_small_p14_dinov2_518",
            "vit_small_patch14_i518",
            "vit_small_p14dinov2",
            "vit_small_p14_",
            "mlp",
            "mlp_i32",
            "mlp_i32_0",
            "mlp_i32_a_3",
            "mlp_i999999_3",
            "mlp_i32_3_drop1",
            "mlp_i32_3_drop",
            "mlp_i32_3_drop-0.1",
            "mlp_i32_3_drop0.1_nonorm",
            "mlp_i32_nonorm",
            "efficientnet_b0_d0.1_tf",
            "efficientnet_tf",
            "resnet18_tf",
            "resnet18d_cifar",
            "resnet18x2d",
            "resnet18dd",
            "convnext",
            "convnext_huge",
            "convnext_tiny_d1",
            " resnet18",
            "ResNet18",
        ] {
            let error = name.parse::<EncoderConfig>().unwrap_err().to_string();
            assert!(error.starts_with("expected an encoder out of resnet18, "), "{name}: {error}");
            assert!(error.ends_with(&format!("found {name:?}")), "{name}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_name_panics_and_what_is_read_is_written_as_a_name_that_reads_the_same(
            name in "(resnet|efficientnet_b|vit_tiny_p|mlp_i)?[0-9]{1,3}[x_.a-z0-9]{0,8}"
        ) {
            if let Ok(config) = name.parse::<EncoderConfig>() {
                prop_assert_eq!(config.to_string().parse::<EncoderConfig>().unwrap(), config);
            }
        }
    }
}
