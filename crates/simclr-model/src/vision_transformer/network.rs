//! Transformers for images.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use simclr_nn::{Conv2d, LayerNorm};

use super::transformer_block::TransformerBlock;
use crate::encoder::Encoder;

/// A vision transformer (Dosovitskiy et al. 2020): patches, a class token, positions, pre-norm blocks. The features are
/// the class token after the last normalisation. Built by
/// [`VisionTransformerConfig::init`](crate::VisionTransformerConfig::init).
///
/// It has no dropout, as in timm.
#[derive(Module, Debug)]
pub struct VisionTransformer {
    pub(super) patch_embedding: Conv2d,
    pub(super) class_token: Param<Tensor<3>>,
    pub(super) positions: Param<Tensor<3>>,
    pub(super) blocks: Vec<TransformerBlock>,
    pub(super) norm: LayerNorm,
    pub(super) image_size: usize,
}

impl VisionTransformer {
    /// Side, in pixels, of the images that it takes.
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
    /// `encode` panics if the images have another size: the positions are learnt for one size.
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
        // Each token is normalised by itself, and only the class token is needed.
        self.norm.forward(tokens.narrow(1, 0, 1)).flatten(1, 2)
    }

    fn feature_size(&self) -> usize {
        self.class_token.dims()[2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VisionTransformerConfig, VisionTransformerSize};
    use burn::tensor::Device;

    fn config(patch_size: usize, image_size: usize) -> VisionTransformerConfig {
        VisionTransformerConfig { size: VisionTransformerSize::Tiny, patch_size, image_size }
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
