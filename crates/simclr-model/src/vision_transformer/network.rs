//! Transformers for images.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use simclr_nn::{Conv2d, LayerNorm, Linear, PackedLinear};

use super::block_layer::BlockLayer;
use super::family::VisionTransformerFamily;
use super::rotary::RotaryPositions;
use super::transformer_block::TransformerBlock;
use crate::encoder::{Encoder, as_it_is};
use crate::inference::Inference;

/// A vision transformer (Dosovitskiy et al. 2020): patches, a class token, positions, pre-norm blocks. The features are
/// the class token after the last normalisation, or what the
/// [family](crate::VisionTransformerFamily) says. Built by
/// [`VisionTransformerConfig::init`](crate::VisionTransformerConfig::init).
///
/// It has no dropout, as in timm.
#[derive(Module, Debug)]
pub struct VisionTransformer<L = Linear> {
    pub(super) patch_embedding: Conv2d,
    pub(super) class_token: Param<Tensor<3>>,
    pub(super) registers: Option<Param<Tensor<3>>>,
    /// Of the patches, and before them of the class token where it has one.
    pub(super) positions: Option<Param<Tensor<3>>>,
    pub(super) rotary: Option<RotaryPositions>,
    pub(super) blocks: Vec<TransformerBlock<L>>,
    pub(super) norm: LayerNorm,
    pub(super) image_size: usize,
    #[module(skip)]
    pub(super) family: VisionTransformerFamily,
}

impl VisionTransformer {
    /// Side, in pixels, of the images that it takes.
    #[must_use]
    pub fn image_size(&self) -> usize {
        self.image_size
    }

    /// The number of patches of an image.
    #[must_use]
    pub fn patches(&self) -> usize {
        let [height, width] = self.patch_embedding.stride.map(|side| self.image_size / side);
        height * width
    }

    /// Features of every patch: its token after the last normalisation. They say what is where in an image, for
    /// segmentation, matching and retrieval of parts.
    ///
    /// # Shapes
    ///
    /// - `images`: `[n, 3, image_size, image_size]`, normalised
    /// - output: `[n, patches, feature_size]`, the patches row by row
    ///
    /// # Panics
    ///
    /// If the images have another size: the positions are learnt for one size.
    ///
    /// ```
    /// use burn::tensor::{Device, Tensor};
    /// use simclr_model::{VisionTransformerConfig, VisionTransformerSize};
    ///
    /// let config = VisionTransformerConfig::new(VisionTransformerSize::Tiny, 8, 32);
    /// let encoder = config.init(0, &Device::flex())?;
    /// let patches = encoder.patch_features(Tensor::zeros([2, 3, 32, 32], &Device::flex()));
    /// assert_eq!(patches.dims(), [2, 4 * 4, 192]);
    /// # Ok::<(), simclr_model::ModelError>(())
    /// ```
    #[must_use]
    pub fn patch_features(&self, images: Tensor<4>) -> Tensor<3> {
        self.features_of_patches(images)
    }

    /// The features of every patch in its place, `[n, h', w', feature_size]`, if their mean is what
    /// [`encode`](Encoder::encode) gives; `None` for families whose features are those of the class token.
    ///
    /// # Panics
    ///
    /// If the images have another size than [`image_size`](Self::image_size).
    #[must_use]
    pub fn feature_map(&self, images: Tensor<4>) -> Option<Tensor<4>> {
        if !self.family.averages_patches() {
            return None;
        }
        let patches = self.patch_features(images);
        let [n, _, features] = patches.dims();
        let [height, width] = self.patch_embedding.stride.map(|side| self.image_size / side);
        Some(patches.reshape([n, height, width, features]))
    }

    /// The network for inference.
    fn packed(&self) -> VisionTransformer<PackedLinear> {
        VisionTransformer {
            patch_embedding: self.patch_embedding.clone(),
            class_token: self.class_token.clone(),
            registers: self.registers.clone(),
            positions: self.positions.clone(),
            rotary: self.rotary.clone(),
            blocks: self.blocks.iter().map(TransformerBlock::packed).collect(),
            norm: self.norm.clone(),
            image_size: self.image_size,
            family: self.family,
        }
    }
}

#[expect(private_bounds, reason = "so are its methods")]
impl<L: BlockLayer> VisionTransformer<L> {
    /// The features: `[n, feature_size]`.
    fn features(&self, images: Tensor<4>) -> Tensor<2> {
        if self.family.averages_patches() {
            return self.features_of_patches(images).mean_dim(1).flatten(1, 2);
        }
        // Each token is normalised by itself, and only the class token is needed.
        self.norm.forward(self.tokens(images).narrow(1, 0, 1)).flatten(1, 2)
    }

    /// The tokens of patches after the last normalisation: `[n, patches, features]`.
    fn features_of_patches(&self, images: Tensor<4>) -> Tensor<3> {
        let tokens = self.tokens(images);
        let before = self.tokens_before_patches();
        let patches = tokens.dims()[1] - before;
        self.norm.forward(tokens.narrow(1, before, patches))
    }

    /// The tokens that come before those of the patches.
    pub(super) fn tokens_before_patches(&self) -> usize {
        1 + self.family.registers()
    }

    /// The tokens after the last block: `[n, tokens, features]`.
    fn tokens(&self, images: Tensor<4>) -> Tensor<3> {
        let rotations = self.rotary.as_ref().map(RotaryPositions::rotations);
        let tokens = self.first_tokens(images);
        self.blocks.iter().fold(tokens, |tokens, block| block.forward(tokens, rotations.as_ref()))
    }

    /// What enters the first block: `[n, tokens, features]`.
    fn first_tokens(&self, images: Tensor<4>) -> Tensor<3> {
        let [n, _, height, width] = images.dims();
        let side = self.image_size;
        assert_eq!([height, width], [side; 2], "expected images of {side} x {side} pixels");
        let images = images.cast(self.class_token.dtype());
        let patches = self.patch_embedding.forward(images).flatten::<3>(2, 3).swap_dims(1, 2); // [n, patches, features]
        let (of_all, of_patches) = match &self.positions {
            Some(learnt) if self.family.class_has_position() => (Some(learnt.val()), None),
            Some(learnt) => (None, Some(learnt.val())),
            None => (None, None),
        };
        let patches = plus(patches, of_patches);
        let class = self.class_token.val().repeat_dim(0, n);
        let registers = self.registers.as_ref().map(|tokens| tokens.val().repeat_dim(0, n));
        let parts = [Some(class), registers, Some(patches)];
        plus(Tensor::cat(parts.into_iter().flatten().collect(), 1), of_all)
    }
}

/// `tokens`, plus `positions` if there are any.
fn plus(tokens: Tensor<3>, positions: Option<Tensor<3>>) -> Tensor<3> {
    match positions {
        Some(positions) => tokens + positions,
        None => tokens,
    }
}

impl Encoder for VisionTransformer {
    /// Images `[n, 3, image_size, image_size]`, normalised.
    ///
    /// # Panics
    ///
    /// `encode` panics if the images have another size: the positions are those of one size.
    type Input = Tensor<4>;

    fn encode(&self, images: Tensor<4>) -> Tensor<2> {
        self.features(images)
    }

    fn inference(&self) -> Inference<Tensor<4>> {
        let plain = self.valid();
        if !PackedLinear::pays(plain.class_token.dtype(), &plain.class_token.device()) {
            return as_it_is(self);
        }
        let packed = plain.packed();
        Inference::new(move |images: Tensor<4>| packed.features(images.without_autodiff()))
    }

    fn feature_size(&self) -> usize {
        self.class_token.dims()[2]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VisionTransformerConfig, VisionTransformerSize};
    use burn::tensor::{Device, Distribution};

    const FAMILIES: [VisionTransformerFamily; 4] = [
        VisionTransformerFamily::Original,
        VisionTransformerFamily::DinoV2,
        VisionTransformerFamily::DinoV2Registers,
        VisionTransformerFamily::DinoV3,
    ];

    fn config(patch_size: usize, image_size: usize) -> VisionTransformerConfig {
        VisionTransformerConfig::new(VisionTransformerSize::Tiny, patch_size, image_size)
    }

    #[test]
    fn positions_matter() {
        let device = Device::flex();
        let mut pixels = vec![0.0_f32; 3 * 16 * 16];
        pixels[..8].fill(3.0);
        let image = Tensor::<1>::from_floats(pixels.as_slice(), &device).reshape([1, 3, 16, 16]);
        let flipped = image.clone().flip([2, 3]);
        for family in FAMILIES {
            let net = config(8, 16).with_family(family).init(3, &device).unwrap();
            let apart = net.encode(image.clone()) - net.encode(flipped.clone());
            let apart = apart.abs().max().into_scalar::<f32>();
            assert!(apart > 1e-6, "{family:?}: {apart}");
        }
    }

    #[test]
    fn the_features_of_patches_lie_where_the_patches_are() {
        let device = Device::flex();
        for family in FAMILIES {
            let net = config(8, 24).with_family(family).init(3, &device).unwrap();
            device.seed(1);
            let image = Tensor::<4>::random([1, 3, 24, 24], Distribution::Default, &device);
            // The middle patch of the last row: number 7 of 9.
            let changed = image.clone().slice_fill([0..1, 0..3, 16..24, 8..16], 5.0);
            let [before, after] = [image, changed].map(|image| net.patch_features(image));
            assert_eq!(before.dims(), [1, 9, 192]);
            let apart = (after - before).abs().max_dim(2).flatten::<1>(0, 2);
            let most = apart.argmax(0).into_scalar::<i64>();
            assert_eq!(most, 7, "{family:?}");
        }
    }

    #[test]
    #[should_panic(expected = "expected images of 16 x 16 pixels")]
    fn images_of_another_size_are_refused() {
        let device = Device::flex();
        let _ =
            config(8, 16).init(0, &device).unwrap().encode(Tensor::zeros([1, 3, 24, 24], &device));
    }
}
