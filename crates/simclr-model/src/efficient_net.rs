//! `EfficientNets`: small networks from depthwise convolutions.

use std::fmt;
use std::str::FromStr;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use simclr_nn::channels_last;

use crate::conv_norm::ConvNorm;
use crate::encoder::Encoder;
use crate::error::ModelError;
use crate::inverted_residual::{InvertedResidual, InvertedResidualShape};
use crate::stochastic_depth::ExampleKeys;
use crate::weight_init::WeightInit;

/// How large an [`EfficientNet`] is (Tan and Le 2019, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EfficientNetVariant {
    /// Width 1, depth 1; made for 224 pixels.
    B0,
    /// Width 1, depth 1.1; made for 240 pixels.
    B1,
    /// Width 1.1, depth 1.2; made for 260 pixels.
    B2,
    /// Width 1.2, depth 1.4; made for 300 pixels.
    B3,
}

/// One stage: expansion, kernel, stride of the first block, channels and blocks of B0 (table 1).
type Stage = (usize, usize, usize, usize, usize);

const STAGES: [Stage; 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];
const STEM_CHANNELS: usize = 32;
/// How many times the last stage's channels the features have.
const HEAD_EXPANSION: usize = 4;

impl EfficientNetVariant {
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("efficientnet_b0", Self::B0),
        ("efficientnet_b1", Self::B1),
        ("efficientnet_b2", Self::B2),
        ("efficientnet_b3", Self::B3),
    ];

    /// Multipliers of the channels and of the blocks.
    fn scale(self) -> (f64, f64) {
        match self {
            Self::B0 => (1.0, 1.0),
            Self::B1 => (1.0, 1.1),
            Self::B2 => (1.1, 1.2),
            Self::B3 => (1.2, 1.4),
        }
    }

    fn channels(self, of_b0: usize) -> usize {
        round_channels(of_b0 as f64 * self.scale().0)
    }

    fn blocks(self, of_b0: usize) -> usize {
        (of_b0 as f64 * self.scale().1).ceil() as usize
    }

    /// The stage of a block, and its place in it, both from 0.
    pub(crate) fn place_of_block(self, block: usize) -> Option<(usize, usize)> {
        let mut first = 0;
        for (stage, &(.., blocks)) in STAGES.iter().enumerate() {
            let blocks = self.blocks(blocks);
            if block < first + blocks {
                return Some((stage, block - first));
            }
            first += blocks;
        }
        None
    }

    fn shapes(self) -> Vec<InvertedResidualShape> {
        let mut shapes = Vec::new();
        let mut channels_in = self.channels(STEM_CHANNELS);
        for (expansion, kernel, stride, channels, blocks) in STAGES {
            let channels_out = self.channels(channels);
            for block in 0..self.blocks(blocks) {
                shapes.push(InvertedResidualShape {
                    channels_in,
                    expanded: round_channels((channels_in * expansion) as f64),
                    channels_out,
                    kernel,
                    stride: if block == 0 { stride } else { 1 },
                });
                channels_in = channels_out;
            }
        }
        shapes
    }
}

impl fmt::Display for EfficientNetVariant {
    /// The name that is parsed: `efficientnet_b0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.iter().find(|(_, variant)| variant == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

impl FromStr for EfficientNetVariant {
    type Err = ModelError;

    fn from_str(name: &str) -> Result<Self, ModelError> {
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        known.map(|&(_, variant)| variant).ok_or_else(|| ModelError::UnknownEncoder {
            found: name.to_owned(),
            known: Self::ALL.map(|(known, _)| known).join(", "),
        })
    }
}

/// The nearest multiple of 8, but never less than 90 % of `channels`.
fn round_channels(channels: f64) -> usize {
    let rounded = (((channels + 4.0) / 8.0).floor() * 8.0).max(8.0);
    let rounded = if rounded < 0.9 * channels { rounded + 8.0 } else { rounded };
    rounded as usize
}

/// Describes an [`EfficientNet`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_model::{EfficientNetConfig, EfficientNetVariant, Encoder};
///
/// let encoder = EfficientNetConfig::new(EfficientNetVariant::B0).init(0, &Device::flex())?;
/// let h = encoder.encode(Tensor::zeros([1, 3, 32, 32], &Device::flex()));
/// assert_eq!(h.dims(), [1, 1280]);
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EfficientNetConfig {
    /// Which size.
    pub variant: EfficientNetVariant,
    /// The probability, in 0..1, of leaving out the last block's residual branch in training; those before
    /// it are left out less, in proportion to their depth.
    pub stochastic_depth: f64,
}

impl EfficientNetConfig {
    /// The network with a stochastic depth of 0.2, as in the paper (section 5.2) and in torchvision.
    #[must_use]
    pub fn new(variant: EfficientNetVariant) -> Self {
        Self { variant, stochastic_depth: 0.2 }
    }

    /// Builds the network with weights drawn from `seed`.
    ///
    /// # Errors
    ///
    /// [`ModelError::StochasticDepth`] if the probability is not in 0..1.
    pub fn init(&self, seed: u64, device: &Device) -> Result<EfficientNet, ModelError> {
        let Self { variant, stochastic_depth } = *self;
        if !(0.0..1.0).contains(&stochastic_depth) {
            return Err(ModelError::StochasticDepth { found: stochastic_depth });
        }
        let init = &mut WeightInit::new(seed, device);
        let stem = ConvNorm::new([3, variant.channels(STEM_CHANNELS)], 3, 2, init);
        let shapes = variant.shapes();
        let share = stochastic_depth / shapes.len() as f64;
        let blocks = (shapes.iter().enumerate())
            .map(|(block, &shape)| InvertedResidual::new(shape, share * block as f64, init))
            .collect();
        let channels = variant.channels(STAGES[STAGES.len() - 1].3);
        let feature_size = HEAD_EXPANSION * channels;
        let head = ConvNorm::new([channels, feature_size], 1, 1, init);
        Ok(EfficientNet { stem, blocks, head, feature_size, variant })
    }
}

/// An `EfficientNet` (Tan and Le 2019) up to and including global average pooling. Built by
/// [`EfficientNetConfig::init`].
///
/// Layers are padded alike on both sides, as in torchvision and timm; the TensorFlow original pads the larger
/// half at the bottom and the right.
#[derive(Module, Debug)]
pub struct EfficientNet {
    stem: ConvNorm,
    blocks: Vec<InvertedResidual>,
    head: ConvNorm,
    feature_size: usize,
    #[module(skip)]
    pub(crate) variant: EfficientNetVariant,
}

impl Encoder for EfficientNet {
    /// Images `[n, 3, height, width]`, normalised.
    type Input = Tensor<4>;

    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        let keys = ExampleKeys::of(&images);
        let x = self.stem.forward_silu(channels_last(images.cast(self.stem.dtype())));
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x, &keys));
        let x = self.head.forward_silu(x); // [n, features, h', w']
        x.mean_dims(&[2, 3]).flatten(1, 3)
    }

    fn feature_size(&self) -> usize {
        self.feature_size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_gives_features_of_the_promised_size() {
        let device = Device::flex();
        for ((name, variant), features) in
            EfficientNetVariant::ALL.iter().zip([1280, 1280, 1408, 1536])
        {
            let net = EfficientNetConfig::new(*variant).init(0, &device).unwrap();
            assert_eq!(net.feature_size(), features, "{name}");
            assert_eq!(net.encode(Tensor::ones([1, 3, 33, 40], &device)).dims(), [1, features]);
        }
    }

    #[test]
    fn a_branch_that_is_always_dropped_is_refused() {
        for found in [1.0, -0.1, f64::NAN] {
            let config =
                EfficientNetConfig { variant: EfficientNetVariant::B0, stochastic_depth: found };
            let error = config.init(0, &Device::flex()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("expected stochastic_depth in 0..1, found {found}")
            );
        }
    }

    #[test]
    fn channels_are_multiples_of_8_and_lose_at_most_a_tenth() {
        for channels in 1..2000 {
            let rounded = round_channels(f64::from(channels));
            assert!(rounded.is_multiple_of(8) && rounded as f64 >= 0.9 * f64::from(channels));
        }
    }
}
