//! One config, and one name, for every image encoder.

use std::fmt;

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::network::ImageEncoder;
use crate::conv_next::ConvNextConfig;
use crate::efficient_net::{EfficientNetConfig, TENSORFLOW};
use crate::error::{ModelError, check_size};
use crate::mlp::MlpConfig;
use crate::resnet::{ResNetConfig, Stem};
use crate::vision_transformer::VisionTransformerConfig;

/// Describes any [`ImageEncoder`]. Its text form, the name, says everything:
///
/// | name | encoder |
/// |---|---|
/// | `resnet18`, `resnet34`, `resnet50`, `resnet101`, `resnet152` | [`ResNet`](crate::ResNet) of the standard width |
/// | `resnet50x2`, `resnet50x4`, `resnet18x0.25` | all widths multiplied; 64 times the factor is a whole number |
/// | `resnet18_cifar`, `resnet50x2_cifar` | with the stem for images of about 32 pixels |
/// | `resnet18d`, `resnet50d` | ResNet-D: with a [deep stem](crate::Stem::Deep) |
/// | `resnet18_gamma1`, `resnet18_cifar_gamma1` | whose blocks start with a last gamma of 1 instead of 0 |
/// | `efficientnet_b0` to `efficientnet_b3` | [`EfficientNet`](crate::EfficientNet) with a stochastic depth of 0.2 |
/// | `efficientnet_b0_d0.1` | with a stochastic depth of 0.1 |
/// | `efficientnet_b0_tf`, `efficientnet_b0_tf_d0.1` | padded and normalised as TensorFlow's original: for weights of `efficientnet_pytorch`, or of timm's `tf_efficientnet_b0` |
/// | `convnext_tiny`, `convnext_small`, `convnext_base` | [`ConvNext`](crate::ConvNext) with a stochastic depth of 0.1, 0.4 and 0.5 |
/// | `convnext_tiny_d0` | without stochastic depth |
/// | `vit_tiny_p16`, `vit_small_p16`, `vit_base_p32` | [`VisionTransformer`](crate::VisionTransformer) on patches of that size, for images of 224 pixels |
/// | `vit_tiny_p4_i32` | for images of 32 pixels |
/// | `vit_small_p14_dinov2`, `vit_base_p14_reg4_dinov2`, `vit_small_p16_dinov3`, `vit_small_p16_dinov3_qkvb` | [of those families](crate::VisionTransformerFamily), `reg4` with registers, `qkvb` with biases; `vit_small_p14_dinov2_i518` for images of 518 pixels |
/// | `mlp_i32_512_128` | [`Mlp`](crate::Mlp) on images of 32 pixels with a hidden layer of 512 and 128 features |
/// | `mlp_i32_512_128_nonorm`, `mlp_i32_512_128_nonorm_drop0.2`, `mlp_i32_512_128_drop0.2` | without batch normalisation; with a dropout of 0.2 |
///
/// ```
/// use simclr_model::{EncoderConfig, ResNetConfig, ResNetDepth, Stem};
///
/// let config: EncoderConfig = "resnet50x2".parse()?;
/// let wide = ResNetConfig::new(ResNetDepth::ResNet50, 128, Stem::Standard);
/// assert_eq!(config, EncoderConfig::ResNet(wide));
/// assert_eq!(config.to_string(), "resnet50x2");
/// assert_eq!(serde_json::to_string(&config).unwrap(), "\"resnet50x2\"");
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum EncoderConfig {
    /// A residual network.
    ResNet(ResNetConfig),
    /// A small network from depthwise convolutions.
    EfficientNet(EfficientNetConfig),
    /// A convolutional network built like a transformer.
    ConvNext(ConvNextConfig),
    /// A transformer on patches.
    VisionTransformer(VisionTransformerConfig),
    /// Fully connected layers on all pixels.
    Mlp {
        /// Side of an image in pixels.
        image_size: usize,
        /// Lengths of the hidden layers.
        hidden_sizes: Vec<usize>,
        /// Length of a feature vector.
        feature_size: usize,
        /// Whether batch normalisation follows the hidden layers.
        norm: bool,
        /// The probability, in 0..1, of dropping a hidden unit in training.
        dropout: f64,
    },
}

/// Channels of the first stage for a factor of 1 in a name.
pub(super) const STANDARD_WIDTH: usize = 64;
/// What follows the depth in the name of a network with a [deep stem](Stem::Deep).
pub(super) const DEEP: &str = "d";
/// The suffix of a name without [`ResNetConfig::zero_init_residual`].
pub(super) const UNIT_GAMMA: &str = "_gamma1";
/// The suffixes of a name of an MLP without batch normalisation, and with dropout.
pub(super) const NO_NORM: &str = "_nonorm";
pub(super) const DROPOUT: &str = "_drop";
/// The stochastic depth of an `EfficientNet` whose name gives none.
const STANDARD_STOCHASTIC_DEPTH: f64 = 0.2;

impl EncoderConfig {
    /// Builds the network with weights drawn from `seed`.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`] if a size is zero or doesn't fit another.
    pub fn init(&self, seed: u64, device: &Device) -> Result<ImageEncoder, ModelError> {
        Ok(match self {
            Self::ResNet(config) => ImageEncoder::ResNet(config.init(seed, device)?),
            Self::EfficientNet(config) => ImageEncoder::EfficientNet(config.init(seed, device)?),
            Self::ConvNext(config) => ImageEncoder::ConvNext(config.init(seed, device)?),
            Self::VisionTransformer(config) => {
                ImageEncoder::VisionTransformer(config.init(seed, device)?)
            }
            Self::Mlp { image_size, hidden_sizes, feature_size, norm, dropout } => {
                check_size("image_size", *image_size)?;
                let config = MlpConfig {
                    input_size: 3 * image_size * image_size,
                    hidden_sizes: hidden_sizes.clone(),
                    feature_size: *feature_size,
                    norm: *norm,
                    dropout: *dropout,
                };
                ImageEncoder::Mlp(config.init(seed, device)?)
            }
        })
    }

    /// Whether weights of `other` are weights of this network: it has the same parameters, up to positions for images of another
    /// size, and computes the same with them. How weights begin, and what training drops, may be different.
    ///
    /// ```
    /// use simclr_model::EncoderConfig;
    ///
    /// let takes = |network: &str, weights: &str| {
    ///     let [network, weights] = [network, weights].map(str::parse::<EncoderConfig>);
    ///     Ok::<_, simclr_model::ModelError>(network?.takes_weights_of(&weights?))
    /// };
    /// assert!(takes("resnet50_gamma1", "resnet50")? && takes("vit_tiny_p16_i32", "vit_tiny_p16")?);
    /// assert!(!takes("resnet50_cifar", "resnet50")? && !takes("efficientnet_b0_tf", "efficientnet_b0")?);
    /// # Ok::<(), simclr_model::ModelError>(())
    /// ```
    #[must_use]
    pub fn takes_weights_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::ResNet(one), Self::ResNet(other)) => {
                (one.depth, one.width, one.stem) == (other.depth, other.width, other.stem)
            }
            (Self::EfficientNet(one), Self::EfficientNet(other)) => {
                (one.variant, one.tensorflow) == (other.variant, other.tensorflow)
            }
            (Self::ConvNext(one), Self::ConvNext(other)) => one.size == other.size,
            (Self::VisionTransformer(one), Self::VisionTransformer(other)) => {
                VisionTransformerConfig { image_size: other.image_size, ..*one } == *other
            }
            (Self::Mlp { dropout, .. }, other @ Self::Mlp { .. }) => {
                let mut other = other.clone();
                if let Self::Mlp { dropout: of_other, .. } = &mut other {
                    *of_other = *dropout;
                }
                *self == other
            }
            _ => false,
        }
    }

    /// The same network for images of `size` x `size` pixels, if it is a vision transformer, whose positions are for images of one
    /// size. Others take images of any size, or would be another network.
    #[must_use]
    pub fn for_image_size(self, size: usize) -> Self {
        match self {
            Self::VisionTransformer(config) => {
                Self::VisionTransformer(VisionTransformerConfig { image_size: size, ..config })
            }
            other => other,
        }
    }

    /// Checks that the encoder takes images of `size` x `size` pixels.
    ///
    /// # Errors
    ///
    /// [`ModelError::ImageSize`] if it takes images of one size only, and of another.
    pub fn check_image_size(&self, size: usize) -> Result<(), ModelError> {
        let expected = match self {
            Self::ResNet(_) | Self::EfficientNet(_) | Self::ConvNext(_) => return Ok(()),
            Self::VisionTransformer(config) => config.image_size,
            Self::Mlp { image_size, .. } => *image_size,
        };
        if size == expected { Ok(()) } else { Err(ModelError::ImageSize { expected, found: size }) }
    }
}

impl fmt::Display for EncoderConfig {
    /// The name that is parsed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ResNet(ResNetConfig { depth, width, stem, zero_init_residual }) => {
                write!(f, "{depth}")?;
                if *stem == Stem::Deep {
                    f.write_str(DEEP)?;
                }
                if *width != STANDARD_WIDTH {
                    write!(f, "x{}", *width as f64 / STANDARD_WIDTH as f64)?;
                }
                if *stem == Stem::Cifar {
                    f.write_str("_cifar")?;
                }
                if *zero_init_residual { Ok(()) } else { f.write_str(UNIT_GAMMA) }
            }
            Self::EfficientNet(EfficientNetConfig { variant, stochastic_depth, tensorflow }) => {
                write!(f, "{variant}{}", if *tensorflow { TENSORFLOW } else { "" })?;
                if *stochastic_depth != STANDARD_STOCHASTIC_DEPTH {
                    write!(f, "_d{stochastic_depth}")?;
                }
                Ok(())
            }
            Self::ConvNext(config) => {
                write!(f, "{}", config.size)?;
                if *config != ConvNextConfig::new(config.size) {
                    write!(f, "_d{}", config.stochastic_depth)?;
                }
                Ok(())
            }
            Self::VisionTransformer(config) => config.fmt(f),
            Self::Mlp { image_size, hidden_sizes, feature_size, norm, dropout } => {
                write!(f, "mlp_i{image_size}")?;
                for size in hidden_sizes.iter().chain([feature_size]) {
                    write!(f, "_{size}")?;
                }
                if !norm {
                    f.write_str(NO_NORM)?;
                }
                if *dropout == 0.0 { Ok(()) } else { write!(f, "{DROPOUT}{dropout}") }
            }
        }
    }
}

impl From<EncoderConfig> for String {
    fn from(config: EncoderConfig) -> Self {
        config.to_string()
    }
}

impl From<ResNetConfig> for EncoderConfig {
    fn from(config: ResNetConfig) -> Self {
        Self::ResNet(config)
    }
}

impl From<EfficientNetConfig> for EncoderConfig {
    fn from(config: EfficientNetConfig) -> Self {
        Self::EfficientNet(config)
    }
}

impl From<ConvNextConfig> for EncoderConfig {
    fn from(config: ConvNextConfig) -> Self {
        Self::ConvNext(config)
    }
}

impl From<VisionTransformerConfig> for EncoderConfig {
    fn from(config: VisionTransformerConfig) -> Self {
        Self::VisionTransformer(config)
    }
}
