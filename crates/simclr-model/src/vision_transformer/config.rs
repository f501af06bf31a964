//! The description of a vision transformer, and how one is built from it.

use burn::module::Param;
use burn::nn::LayerNormConfig;
use burn::nn::conv::Conv2dConfig;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use simclr_nn::LayerNorm;
use simclr_range::OutOfRange;

use super::network::VisionTransformer;
use super::transformer_block::{LAYER_NORM_EPSILON, TransformerBlock};
use crate::error::{ModelError, check_size};
use crate::weight_init::WeightInit;

/// How large a [`VisionTransformer`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum VisionTransformerSize {
    /// Features of length 192, 3 heads, 12 blocks (Touvron et al. 2020, table 1).
    Tiny,
    /// Features of length 384, 6 heads, 12 blocks (Touvron et al. 2020, table 1).
    Small,
    /// Features of length 768, 12 heads, 12 blocks (Dosovitskiy et al. 2020, table 1).
    Base,
}

const BLOCKS: usize = 12;
/// Length of one head's queries, keys and values.
const HEAD_SIZE: usize = 64;
/// Standard deviation of new weights, which are cut off at two of it, as in timm and the original.
const WEIGHT_STD: f64 = 0.02;

impl VisionTransformerSize {
    pub(crate) const ALL: [(&'static str, Self); 3] =
        [("tiny", Self::Tiny), ("small", Self::Small), ("base", Self::Base)];

    fn heads(self) -> usize {
        match self {
            Self::Tiny => 3,
            Self::Small => 6,
            Self::Base => 12,
        }
    }
}

/// Describes a [`VisionTransformer`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_model::{Encoder, VisionTransformerConfig, VisionTransformerSize};
///
/// let size = VisionTransformerSize::Tiny;
/// let config = VisionTransformerConfig { size, patch_size: 4, image_size: 32 };
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
    /// Side of an image in pixels, a multiple of `patch_size`: the network learns positions for this size.
    pub image_size: usize,
}

impl VisionTransformerConfig {
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
        let patches = (self.image_size / side).pow(2);
        let config = Conv2dConfig::new([3, width], [side, side]).with_stride([side, side]);
        let mut embedding = config.init(device);
        let fan_in = (3 * side * side) as f64;
        embedding.weight = init.truncated_normal([width, 3, side, side], fan_in.recip().sqrt());
        embedding.bias = Some(Param::from_tensor(Tensor::zeros([width], device)));
        let norm = LayerNormConfig::new(width).with_epsilon(LAYER_NORM_EPSILON);
        Ok(VisionTransformer {
            patch_embedding: embedding.into(),
            class_token: init.truncated_normal([1, 1, width], WEIGHT_STD),
            positions: init.truncated_normal([1, 1 + patches, width], WEIGHT_STD),
            blocks: (0..BLOCKS)
                .map(|_| TransformerBlock::new(width, heads, WEIGHT_STD, init))
                .collect(),
            norm: LayerNorm::new(&norm, device),
            image_size: self.image_size,
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
            let config = VisionTransformerConfig { size, patch_size, image_size };
            let error = config.init(0, &Device::flex()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
