//! Residual networks for images.

use std::fmt;
use std::str::FromStr;

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use simclr_nn::{channels_last, max_pool2d};

use crate::conv_norm::ConvNorm;
use crate::encoder::Encoder;
use crate::error::ModelError;
use crate::residual_block::{BOTTLENECK_EXPANSION, ResidualBlock};
use crate::weight_init::WeightInit;

/// The depth of a [`ResNet`], which fixes its blocks (He et al. 2015, table 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ResNetDepth {
    /// Basic blocks 2, 2, 2, 2.
    ResNet18,
    /// Basic blocks 3, 4, 6, 3.
    ResNet34,
    /// Bottleneck blocks 3, 4, 6, 3.
    ResNet50,
    /// Bottleneck blocks 3, 4, 23, 3.
    ResNet101,
    /// Bottleneck blocks 3, 8, 36, 3.
    ResNet152,
}

impl ResNetDepth {
    pub(crate) const ALL: [(&'static str, Self); 5] = [
        ("resnet18", Self::ResNet18),
        ("resnet34", Self::ResNet34),
        ("resnet50", Self::ResNet50),
        ("resnet101", Self::ResNet101),
        ("resnet152", Self::ResNet152),
    ];

    /// Blocks in each of the four stages.
    fn stages(self) -> [usize; 4] {
        match self {
            Self::ResNet18 => [2, 2, 2, 2],
            Self::ResNet34 | Self::ResNet50 => [3, 4, 6, 3],
            Self::ResNet101 => [3, 4, 23, 3],
            Self::ResNet152 => [3, 8, 36, 3],
        }
    }

    /// The stage of a block, and its place in it, both from 0.
    pub(crate) fn place_of_block(self, block: usize) -> Option<(usize, usize)> {
        let mut first = 0;
        for (stage, blocks) in self.stages().into_iter().enumerate() {
            if block < first + blocks {
                return Some((stage, block - first));
            }
            first += blocks;
        }
        None
    }

    fn expansion(self) -> usize {
        match self {
            Self::ResNet18 | Self::ResNet34 => 1,
            Self::ResNet50 | Self::ResNet101 | Self::ResNet152 => BOTTLENECK_EXPANSION,
        }
    }
}

impl fmt::Display for ResNetDepth {
    /// The name that is parsed: `resnet50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.iter().find(|(_, depth)| depth == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

impl FromStr for ResNetDepth {
    type Err = ModelError;

    fn from_str(name: &str) -> Result<Self, ModelError> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|&(_, depth)| depth).ok_or_else(
            || ModelError::UnknownEncoder {
                found: name.to_owned(),
                known: Self::ALL.map(|(known, _)| known).join(", "),
            },
        )
    }
}

/// The first layers of a [`ResNet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stem {
    /// 7x7 convolution with stride 2 and a 3x3 max-pool with stride 2: a quarter of the resolution.
    Standard,
    /// 3x3 convolution with stride 1 and no pooling, for images of about 32 pixels (Chen et al.
    /// 2020, appendix B.9).
    Cifar,
}

impl Stem {
    /// The stem that suits images of `size` pixels: [`Stem::Cifar`] up to 32.
    #[must_use]
    pub fn for_image_size(size: u32) -> Self {
        if size <= 32 { Self::Cifar } else { Self::Standard }
    }
}

/// Describes a [`ResNet`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_model::{Encoder, ResNetConfig, ResNetDepth, Stem};
///
/// let config = ResNetConfig::new(ResNetDepth::ResNet18, 16, Stem::Cifar);
/// let encoder = config.init(0, &Device::flex())?;
/// let h = encoder.encode(Tensor::zeros([2, 3, 32, 32], &Device::flex()));
/// assert_eq!(h.dims(), [2, 128]);
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResNetConfig {
    /// Which blocks.
    pub depth: ResNetDepth,
    /// Channels of the first stage: 64 is the standard width ("1x"), 128 is 2x, 256 is 4x. Below 64
    /// the network is slimmer than any published one, and quick on a CPU.
    pub width: usize,
    /// Which first layers.
    pub stem: Stem,
    /// Whether the last gamma of every block starts at zero, so that a new block is the identity: true in google's
    /// SimCLR and for [`new`](Self::new), false in torchvision unless asked for. It steadies long training at high
    /// rates (Goyal et al. 2017); a short run learns faster without it.
    #[serde(default = "starts_at_zero")]
    pub zero_init_residual: bool,
}

fn starts_at_zero() -> bool {
    true
}

impl ResNetConfig {
    /// A network whose blocks start as the identity.
    #[must_use]
    pub const fn new(depth: ResNetDepth, width: usize, stem: Stem) -> Self {
        Self { depth, width, stem, zero_init_residual: true }
    }

    /// Builds the network with weights drawn from `seed`.
    ///
    /// # Errors
    ///
    /// [`ModelError::ZeroSize`] if the width is zero.
    pub fn init(&self, seed: u64, device: &Device) -> Result<ResNet, ModelError> {
        if self.width == 0 {
            return Err(ModelError::ZeroSize { field: "width" });
        }
        let init = &mut WeightInit::new(seed, device);
        let (stem, pool) = match self.stem {
            Stem::Standard => {
                let pool = MaxPool2dConfig::new([3, 3])
                    .with_strides([2, 2])
                    .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
                (ConvNorm::new([3, self.width], 7, 2, init), Some(pool.init()))
            }
            Stem::Cifar => (ConvNorm::new([3, self.width], 3, 1, init), None),
        };
        let blocks = self.blocks(init);
        let feature_size = self.width * 8 * self.depth.expansion();
        Ok(ResNet { stem, pool, blocks, feature_size, depth: self.depth })
    }

    fn blocks(&self, init: &mut WeightInit) -> Vec<ResidualBlock> {
        let expansion = self.depth.expansion();
        let mut blocks = Vec::new();
        let mut channels_in = self.width;
        for (stage, count) in self.depth.stages().into_iter().enumerate() {
            let channels = self.width << stage;
            for index in 0..count {
                let stride = if stage > 0 && index == 0 { 2 } else { 1 };
                let block = if expansion == 1 {
                    ResidualBlock::basic(channels_in, channels, stride, init)
                } else {
                    ResidualBlock::bottleneck(channels_in, channels, stride, init)
                };
                blocks.push(if self.zero_init_residual {
                    block.starting_as_identity()
                } else {
                    block
                });
                channels_in = channels * expansion;
            }
        }
        blocks
    }
}

/// A residual network (He et al. 2015) up to and including global average pooling: an image in, its
/// features out. Built by [`ResNetConfig::init`].
#[derive(Module, Debug)]
pub struct ResNet {
    stem: ConvNorm,
    pool: Option<MaxPool2d>,
    blocks: Vec<ResidualBlock>,
    feature_size: usize,
    #[module(skip)]
    pub(crate) depth: ResNetDepth,
}

impl Encoder for ResNet {
    /// Images `[n, 3, height, width]`, normalised.
    type Input = Tensor<4>;

    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        let images = images.cast(self.stem.dtype());
        let x = self.stem.forward_relu(channels_last(images));
        let x = match &self.pool {
            Some(pool) => max_pool2d(pool, x),
            None => x,
        };
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x)); // [n, features, h', w']
        x.mean_dims(&[2, 3]).flatten(1, 3)
    }

    fn feature_size(&self) -> usize {
        self.feature_size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(depth: &str, width: usize, stem: Stem) -> ResNetConfig {
        ResNetConfig::new(depth.parse().unwrap(), width, stem)
    }

    #[test]
    fn every_depth_and_stem_gives_features_of_the_promised_size() {
        let device = Device::flex();
        for (name, features) in [
            ("resnet18", 32),
            ("resnet34", 32),
            ("resnet50", 128),
            ("resnet101", 128),
            ("resnet152", 128),
        ] {
            for stem in [Stem::Standard, Stem::Cifar] {
                let net = config(name, 4, stem).init(0, &device).unwrap();
                assert_eq!(net.feature_size(), features);
                assert_eq!(net.encode(Tensor::ones([2, 3, 33, 40], &device)).dims(), [2, features]);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_network_and_another_seed_another() {
        let device = Device::flex();
        let image = Tensor::<4>::ones([1, 3, 16, 16], &device);
        let h = |seed| {
            config("resnet18", 4, Stem::Cifar)
                .init(seed, &device)
                .unwrap()
                .encode(image.clone())
                .into_data()
        };
        h(1).assert_eq(&h(1), true);
        assert!(h(1) != h(2));
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "resnet19".parse::<ResNetDepth>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected an encoder out of resnet18, resnet34, resnet50, resnet101, resnet152, found \"resnet19\""
        );
    }

    #[test]
    fn width_cannot_be_zero() {
        let error = config("resnet18", 0, Stem::Cifar).init(0, &Device::flex()).unwrap_err();
        assert_eq!(error.to_string(), "expected width of at least 1, found 0");
    }
}
