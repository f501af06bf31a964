//! The description of a ResNet, and how one is built from it.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::MaxPool2dConfig;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::depth::ResNetDepth;
use super::network::ResNet;
use super::residual_block::ResidualBlock;
use crate::error::{ModelError, check_size};
use crate::layers::ConvNorm;
use crate::weight_init::WeightInit;

/// The first layers of a [`ResNet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stem {
    /// A 7x7 convolution with stride 2 and a 3x3 max-pooling with stride 2: a quarter of the resolution.
    Standard,
    /// A 3x3 convolution with stride 1 and no pooling, for images of about 32 pixels (Chen et al. 2020, appendix
    /// B.9).
    Cifar,
    /// ResNet-D (He et al. 2018, "Bag of Tricks", figure 2): three 3x3 convolutions, the first with stride 2, instead of
    /// the 7x7, the max-pooling after them, and 2x2 average-pooling instead of a stride in shortcuts. As timm's
    /// `resnet50d`.
    Deep,
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
    /// The depth, which fixes the blocks.
    pub depth: ResNetDepth,
    /// Channels of the first stage, at least 1: 64 is the standard width ("1x"), 128 is 2x, 256 is 4x. A network with
    /// fewer than 64 is slimmer than any published one, and quick on a CPU.
    pub width: usize,
    /// The first layers.
    pub stem: Stem,
    /// Whether the last gamma of every block starts at zero, so that a new block is the identity. google's SimCLR and
    /// [`new`](Self::new) set it, torchvision does not unless asked. It steadies long training at high rates (Goyal et
    /// al. 2017); a short run learns faster without it.
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
    /// [`ModelError::OutOfRange`] if the width is zero.
    pub fn init(&self, seed: u64, device: &Device) -> Result<ResNet, ModelError> {
        check_size("width", self.width)?;
        let init = &mut WeightInit::new(seed, device);
        let pool = MaxPool2dConfig::new([3, 3])
            .with_strides([2, 2])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
        let pool = (self.stem != Stem::Cifar).then(|| pool.init());
        let (before_stem, stem) = match self.stem {
            Stem::Standard => (vec![], ConvNorm::new([3, self.width], 7, 2, init)),
            Stem::Cifar => (vec![], ConvNorm::new([3, self.width], 3, 1, init)),
            Stem::Deep => {
                let half = self.width.div_ceil(2);
                let first = ConvNorm::new([3, half], 3, 2, init);
                let second = ConvNorm::new([half, half], 3, 1, init);
                (vec![first, second], ConvNorm::new([half, self.width], 3, 1, init))
            }
        };
        let blocks = self.blocks(init);
        let feature_size = self.width * 8 * self.depth.expansion();
        Ok(ResNet { before_stem, stem, pool, blocks, feature_size, depth: self.depth })
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
                let block = if self.stem == Stem::Deep { block.with_pooling() } else { block };
                blocks.push(if self.zero_init_residual {
                    block.with_zero_last_gamma()
                } else {
                    block
                });
                channels_in = channels * expansion;
            }
        }
        blocks
    }
}
