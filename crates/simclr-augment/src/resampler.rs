use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

use crate::{AugmentationError, CropBox};

/// Crops and resizes to a square with an antialiased bilinear filter, into a buffer that is used
/// again.
///
/// The filter widens with the scale when the crop is larger than the view, as in PIL and in
/// torchvision with `antialias=True`. It sees only the crop: pixels outside the box do not bleed in
/// at its edges.
#[derive(Default)]
pub(crate) struct Resampler {
    resizer: Resizer,
    pixels: Vec<u8>,
}

impl Resampler {
    /// Interleaved RGB, `3 * size * size` values. The box lies inside the image.
    pub(crate) fn resample(
        &mut self,
        image: &RgbImage,
        crop: CropBox,
        size: u32,
    ) -> Result<&[u8], AugmentationError> {
        self.pixels.resize(3 * size as usize * size as usize, 0);
        match self.resample_to_pixels(image, crop, size) {
            Ok(()) => Ok(&self.pixels),
            Err(source) => Err(AugmentationError::Resample { crop, source }),
        }
    }

    fn resample_to_pixels(
        &mut self,
        image: &RgbImage,
        crop: CropBox,
        size: u32,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let source = TypedImageRef::<U8x3>::from_buffer(image.width(), image.height(), image)?;
        // A view of the crop, not the resizer's own crop option: that one lets the filter reach
        // past the box.
        let source = TypedCroppedImage::new(source, crop.x, crop.y, crop.width, crop.height)?;
        let mut view = TypedImage::<U8x3>::from_buffer(size, size, &mut self.pixels)?;
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        self.resizer.resize_typed(&source, &mut view, &options)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn pixels_outside_the_crop_do_not_bleed_in() {
        let mut image = RgbImage::from_pixel(40, 40, Rgb([255, 255, 255]));
        let crop = CropBox { x: 11, y: 7, width: 20, height: 26 };
        for y in crop.y..crop.y + crop.height {
            for x in crop.x..crop.x + crop.width {
                image.put_pixel(x, y, Rgb([10, 20, 30]));
            }
        }
        for size in [5, 48] {
            let mut resampler = Resampler::default();
            let pixels = resampler.resample(&image, crop, size).unwrap();
            assert!(pixels.chunks(3).all(|pixel| pixel == [10, 20, 30]), "{pixels:?}");
        }
    }

    #[test]
    fn a_crop_of_the_view_size_is_copied() {
        let image = RgbImage::from_fn(9, 9, |x, y| Rgb([x as u8, y as u8, (x * y) as u8]));
        let mut resampler = Resampler::default();
        assert_eq!(resampler.resample(&image, CropBox::whole(9, 9), 9).unwrap(), image.as_raw());
    }

    #[test]
    fn very_long_images_can_be_resampled() {
        let image = RgbImage::from_pixel(20_000, 3, Rgb([1, 2, 3]));
        let mut resampler = Resampler::default();
        let pixels = resampler.resample(&image, CropBox::whole(20_000, 3), 8).unwrap();
        assert!(pixels.chunks(3).all(|pixel| pixel == [1, 2, 3]));
    }
}
