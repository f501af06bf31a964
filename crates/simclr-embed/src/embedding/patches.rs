//! Features of the patches of images.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::Device;
use image::RgbImage;
use simclr_data::ImageDataset;
use simclr_model::ImageEncoder;

use super::batches::Reader;
use super::embedded::Embedded;
use super::embedder::{Embedder, batch_of, to_host};
use crate::error::EmbedError;
use crate::vectors::{FeatureSource, Features};

impl Embedder {
    /// Features of every patch of some images, which may be of any size: for each image a row for each patch, row by row
    /// of the picture that the [transform](Self::transform) makes of it. They say what is where.
    ///
    /// # Errors
    ///
    /// [`EmbedError::NoPatches`] if the encoder is no vision transformer, and those of
    /// [`embed_images`](Self::embed_images).
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use image::RgbImage;
    /// use simclr_augment::SimClrAugmentation;
    /// use simclr_embed::Embedder;
    /// use simclr_model::EncoderConfig;
    ///
    /// let config: EncoderConfig = "vit_tiny_p16_i32".parse()?;
    /// let encoder = config.init(0, &Device::flex())?;
    /// let transform = SimClrAugmentation::imagenet().with_size(32)?.evaluation();
    /// let embedder = Embedder::new(encoder, transform, &Device::flex());
    /// let patches = embedder.embed_patches(&[RgbImage::new(40, 50), RgbImage::new(32, 32)])?;
    /// assert_eq!((patches.len(), patches[0].len(), patches[0].size()), (2, 4, 192));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn embed_patches(&self, images: &[RgbImage]) -> Result<Vec<Features>, EmbedError> {
        let transform = self.transform();
        let reader = Reader {
            batch_size: self.batch_size(),
            view_len: transform.view_len(),
            read: |index: usize, out: &mut [f32]| Ok(transform.view_into(&images[index], out)?),
        };
        let rows = reader.through_all(images.len(), &mut self.patch_networks())?;
        let of_image = (rows.values.len() / images.len().max(1)).max(1);
        let size = self.feature_size();
        let features = |values: &[f32]| {
            Features::new(values.to_vec(), size).with_source(FeatureSource::Encoder)
        };
        Ok(rows.values.chunks_exact(of_image).map(features).collect())
    }

    /// The number of patches of an image.
    ///
    /// # Errors
    ///
    /// [`EmbedError::NoPatches`] if the encoder is no vision transformer.
    pub fn patches(&self) -> Result<usize, EmbedError> {
        let ImageEncoder::VisionTransformer(net) = self.encoder() else {
            return Err(EmbedError::NoPatches { found: self.encoder_name() });
        };
        Ok(net.patches())
    }

    /// Hands `each` the features of the patches of the images in `range`, as [`embed_each`](Self::embed_each) does those of whole
    /// images: the vector of an image has the features of its patches one after the other.
    /// [`VectorFile::with_patches`](crate::VectorFile::with_patches) keeps them.
    ///
    /// # Errors
    ///
    /// Those of [`embed`](Self::embed) and [`embed_patches`](Self::embed_patches), and those of `each`, which end it.
    ///
    /// # Panics
    ///
    /// If the range ends beyond the set.
    pub fn embed_patches_each<X: From<EmbedError>>(
        &self,
        images: &dyn ImageDataset,
        range: Range<usize>,
        each: impl FnMut(Range<usize>, Embedded) -> Result<(), X>,
    ) -> Result<(), X> {
        let size = self.patches()? * self.feature_size();
        self.each_through(&mut self.patch_networks(), size, images, range, each)
    }

    /// A copy of the encoder on each device: pixels of a batch in, features of its patches out.
    fn patch_networks(
        &self,
    ) -> Vec<impl FnMut(Vec<f32>) -> Result<Vec<f32>, EmbedError> + Send + use<>> {
        let side = self.transform().size() as usize;
        let name = self.encoder_name();
        let on_device = |(encoder, device): (ImageEncoder, Device)| {
            let found = name.clone();
            move |pixels| {
                let patches = encoder.patch_features(batch_of(pixels, side, &device));
                to_host(patches.ok_or_else(|| EmbedError::NoPatches { found: found.clone() })?)
            }
        };
        let copy = |device: &Device| (self.encoder().clone().to_device(device), device.clone());
        self.devices().map(copy).map(on_device).collect()
    }

    /// The encoder's name, for errors.
    fn encoder_name(&self) -> String {
        self.config().map_or_else(|| "another network".to_owned(), ToString::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_augment::{EvaluationTransform, Normalization, ResizeFilter};
    use simclr_model::EncoderConfig;

    fn embedder(name: &str) -> Embedder {
        let config: EncoderConfig = name.parse().unwrap();
        let transform =
            EvaluationTransform::new(24, ResizeFilter::Bilinear, Normalization::IMAGENET).unwrap();
        let encoder = config.init(0, &Device::flex()).unwrap();
        Embedder::new(encoder, transform, &Device::flex()).with_config(config)
    }

    #[test]
    fn each_image_has_features_of_each_patch_whatever_its_batch() {
        let image = |seed: u8| {
            RgbImage::from_fn(24, 24, |x, y| {
                image::Rgb([x as u8 * seed, y as u8 * 9, (x * y) as u8 ^ seed])
            })
        };
        let images = [image(3), image(7), image(11)];
        let embedder = embedder("vit_tiny_p8_dinov3_i24");
        let all = embedder.embed_patches(&images).unwrap();
        let patches = embedder.patches().unwrap();
        assert_eq!(patches, 9);
        assert_eq!(all.len(), 3);
        let alone = embedder.with_batch_size(1).unwrap().embed_patches(&images[2..]).unwrap();
        assert_eq!((alone[0].len(), alone[0].size()), (patches, 192));
        let apart = alone[0].values().iter().zip(all[2].values());
        let apart = apart.fold(0.0_f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(apart < 1e-4, "{apart}");
    }

    #[test]
    fn an_encoder_without_patches_is_refused_and_no_images_are_none() {
        let error = embedder("resnet18x0.25_cifar").embed_patches(&[RgbImage::new(8, 8)]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "expected an encoder of patches, such as vit_small_p16, found resnet18x0.25_cifar"
        );
        assert!(embedder("vit_tiny_p8_i24").embed_patches(&[]).unwrap().is_empty());
        let refused = embedder("resnet18x0.25_cifar").patches();
        assert!(matches!(refused, Err(EmbedError::NoPatches { .. })));
    }
}
