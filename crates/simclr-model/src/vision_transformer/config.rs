//! The description of a vision transformer, and how one is built from it.

use burn::nn::LayerNormConfig;
use burn::nn::conv::Conv2dConfig;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use simclr_nn::LayerNorm;
use simclr_range::OutOfRange;

use super::family::VisionTransformerFamily;
use super::network::VisionTransformer;
use super::rotary::RotaryPositions;
use super::size::{HEAD_SIZE, VisionTransformerSize};
use super::transformer_block::TransformerBlock;
use crate::error::{ModelError, check_size};
use crate::weight_init::WeightInit;

const BLOCKS: usize = 12;
/// Standard deviation of new weights, which are cut off at two of it, as in timm and the original.
const WEIGHT_STD: f64 = 0.02;

/// Describes a [`VisionTransformer`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_model::{Encoder, VisionTransformerConfig, VisionTransformerSize};
///
/// let config = VisionTransformerConfig::new(VisionTransformerSize::Tiny, 4, 32);
/// let encoder = config.init(0, &Device::flex())?;
/// let h = encoder.encode(Tensor::zeros([1, 3, 32, 32], &Device::flex()));
/// assert_eq!(h.dims(), [1, 192]);
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisionTransformerConfig {
    /// Length of the features and number of heads.
    pub size: VisionTransformerSize,
    /// Side of a patch in pixels, at least 1.
    pub patch_size: usize,
    /// Side of an image in pixels, a multiple of `patch_size`: the positions are those of this size.
    pub image_size: usize,
    /// Which of the published networks it is; the original if the field is absent.
    #[serde(default)]
    pub family: VisionTransformerFamily,
}

impl VisionTransformerConfig {
    /// A network of the original family.
    #[must_use]
    pub const fn new(size: VisionTransformerSize, patch_size: usize, image_size: usize) -> Self {
        Self { size, patch_size, image_size, family: VisionTransformerFamily::Original }
    }

    /// The same network of another family.
    #[must_use]
    pub const fn with_family(self, family: VisionTransformerFamily) -> Self {
        Self { family, ..self }
    }

    /// Checks the values.
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        check_size("patch_size", self.patch_size)?;
        check_size("image_size", self.image_size)?;
        let expected = format!("a multiple of the patch size, {}", self.patch_size);
        let divides = self.image_size.is_multiple_of(self.patch_size);
        OutOfRange::unless(divides, "image_size", expected, self.image_size)
    }

    /// Builds the network with weights drawn from `seed`. Weights are truncated normal with standard deviation 0.02,
    /// as in timm; the kernel of the patches is scaled by its fan-in, as in the original; biases are zero.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`] if a size is zero, or the patches don't divide the image.
    pub fn init(&self, seed: u64, device: &Device) -> Result<VisionTransformer, ModelError> {
        self.check()?;
        let init = &mut WeightInit::new(seed, device);
        let heads = self.size.heads();
        let width = heads * HEAD_SIZE;
        let side = self.patch_size;
        let patches_across = self.image_size / side;
        let family = self.family;
        let config = Conv2dConfig::new([3, width], [side, side]).with_stride([side, side]);
        let fan_in = (3 * side * side) as f64;
        let patch_embedding = init.truncated_normal_conv2d(&config, fan_in.recip().sqrt()).into();
        let mut tokens = |count| init.truncated_normal([1, count, width], WEIGHT_STD);
        let class_token = tokens(1);
        let positions = usize::from(family.class_has_position()) + patches_across.pow(2);
        let positions = family.learns_positions().then(|| tokens(positions));
        let registers = family.registers();
        let rotary = (!family.learns_positions())
            .then(|| RotaryPositions::new(patches_across, HEAD_SIZE, 1 + registers, device));
        let norm = LayerNormConfig::new(width).with_epsilon(family.layer_norm_epsilon());
        Ok(VisionTransformer {
            patch_embedding,
            class_token,
            registers: (registers > 0).then(|| tokens(registers)),
            positions,
            rotary,
            blocks: (0..BLOCKS)
                .map(|_| TransformerBlock::new([width, heads], family, WEIGHT_STD, init))
                .collect(),
            norm: LayerNorm::new(&norm, device),
            image_size: self.image_size,
            family,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_divide_the_image() {
        for ((patch_size, image_size), message) in [
            ((5, 32), "expected image_size to be a multiple of the patch size, 5, found 32"),
            ((0, 32), "expected patch_size to be at least 1, found 0"),
            ((4, 0), "expected image_size to be at least 1, found 0"),
        ] {
            let size = VisionTransformerSize::Tiny;
            let config = VisionTransformerConfig::new(size, patch_size, image_size);
            let error = config.init(0, &Device::flex()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
