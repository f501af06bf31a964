//! Transformers for images.

use burn::module::{Module, Param};
use burn::nn::conv::Conv2dConfig;
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use simclr_nn::Conv2d;

use crate::encoder::Encoder;
use crate::error::ModelError;
use crate::transformer_block::{LAYER_NORM_EPSILON, TransformerBlock};
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
/// Standard deviation of new weights (timm's and the original's; cut at two of it).
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
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// Side of an image in pixels, a multiple of `patch_size`: the position embeddings are learnt for it.
    pub image_size: usize,
}

impl VisionTransformerConfig {
    /// Checks the sizes.
    ///
    /// # Errors
    ///
    /// [`ModelError::ZeroSize`] if a size is zero, [`ModelError::PatchSize`] if the images don't divide into
    /// patches.
    pub fn check(&self) -> Result<(), ModelError> {
        ModelError::check_size("patch_size", self.patch_size)?;
        ModelError::check_size("image_size", self.image_size)?;
        if !self.image_size.is_multiple_of(self.patch_size) {
            let (patch_size, found) = (self.patch_size, self.image_size);
            return Err(ModelError::PatchSize { patch_size, found });
        }
        Ok(())
    }

    /// Builds the network with weights drawn from `seed`: truncated normal with standard deviation 0.02 as in
    /// timm, the patches' by their fan-in as in the original, biases zero.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
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
        let norm = LayerNormConfig::new(width).with_epsilon(LAYER_NORM_EPSILON).init(device);
        Ok(VisionTransformer {
            patch_embedding: embedding.into(),
            class_token: init.truncated_normal([1, 1, width], WEIGHT_STD),
            positions: init.truncated_normal([1, 1 + patches, width], WEIGHT_STD),
            blocks: (0..BLOCKS)
                .map(|_| TransformerBlock::new(width, heads, WEIGHT_STD, init))
                .collect(),
            norm,
            image_size: self.image_size,
        })
    }
}

/// A vision transformer (Dosovitskiy et al. 2020): patches, a class token, positions, pre-norm blocks. The
/// features are the class token after the last normalisation. Built by [`VisionTransformerConfig::init`].
///
/// Without dropout, as timm has it.
#[derive(Module, Debug)]
pub struct VisionTransformer {
    patch_embedding: Conv2d,
    class_token: Param<Tensor<3>>,
    positions: Param<Tensor<3>>,
    blocks: Vec<TransformerBlock>,
    norm: LayerNorm,
    image_size: usize,
}

impl VisionTransformer {
    /// Side of the images it takes, in pixels.
    #[must_use]
    pub fn image_size(&self) -> usize {
        self.image_size
    }
}

impl Encoder for VisionTransformer {
    /// Images `[n, 3, image_size, image_size]`, normalised.
    ///
    /// # Panics
    ///
    /// `encode` panics at images of another size: the positions are learnt for one.
    type Input = Tensor<4>;

    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        let [n, _, height, width] = images.dims();
        let side = self.image_size;
        assert_eq!([height, width], [side; 2], "expected images of {side} x {side} pixels");
        let images = images.cast(self.class_token.dtype());
        let patches = self.patch_embedding.forward(images).flatten::<3>(2, 3).swap_dims(1, 2); // [n, patches, features]
        let class = self.class_token.val().repeat_dim(0, n);
        let tokens = Tensor::cat(vec![class, patches], 1) + self.positions.val();
        let tokens = self.blocks.iter().fold(tokens, |tokens, block| block.forward(tokens));
        // Normalisation is token by token: only the class token's is needed.
        self.norm.forward(tokens.narrow(1, 0, 1)).flatten(1, 2)
    }

    fn feature_size(&self) -> usize {
        self.class_token.dims()[2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(patch_size: usize, image_size: usize) -> VisionTransformerConfig {
        VisionTransformerConfig { size: VisionTransformerSize::Tiny, patch_size, image_size }
    }

    #[test]
    fn images_divide_into_patches() {
        for ((patch_size, image_size), message) in [
            ((5, 32), "expected an image size that is a multiple of the patch size, 5, found 32"),
            ((0, 32), "expected patch_size of at least 1, found 0"),
            ((4, 0), "expected image_size of at least 1, found 0"),
        ] {
            let error = config(patch_size, image_size).init(0, &Device::flex()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn positions_matter() {
        let device = Device::flex();
        let net = config(8, 16).init(3, &device).unwrap();
        let mut pixels = vec![0.0_f32; 3 * 16 * 16];
        pixels[..8].fill(3.0);
        let image = Tensor::<1>::from_floats(pixels.as_slice(), &device).reshape([1, 3, 16, 16]);
        let flipped = image.clone().flip([2, 3]);
        let apart = (net.encode(image) - net.encode(flipped)).abs().max().into_scalar::<f32>();
        assert!(apart > 1e-3, "{apart}");
    }

    #[test]
    #[should_panic(expected = "expected images of 16 x 16 pixels")]
    fn images_of_another_size_are_refused() {
        let device = Device::flex();
        let _ =
            config(8, 16).init(0, &device).unwrap().encode(Tensor::zeros([1, 3, 24, 24], &device));
    }
}
