//! What is kept of an image's pixels, to compare it with others.

use image::RgbImage;
use simclr_augment::{AugmentationError, EvaluationTransform, Fit, Normalization, ResizeFilter};

use super::pixel_checksum::pixel_checksum;

/// Width and height of the brightness that is kept, and of the colours.
pub(super) const LUMA: usize = 64;
pub(super) const CHROMA: usize = 16;

/// What is kept of an image's pixels: a small picture of the whole image, squashed to a square, its size, and a checksum of all pixels. It
/// takes 5 KiB.
///
/// Brightness (Y of JPEG's YCbCr) has 64 x 64 pixels and each of the two colours 16 x 16, as JPEG's photos have colours coarser than brightness, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    width: u32,
    height: u32,
    checksum: [u8; 32],
    /// `[64, 64]`.
    pub(super) luma: Box<[u8]>,
    /// Cb and Cr, `[2, 16, 16]`.
    pub(super) chroma: Box<[u8]>,
}

impl Fingerprint {
    /// The fingerprint of an image of any size.
    ///
    /// # Errors
    ///
    /// [`AugmentationError::CropOutsideImage`] for an image without pixels.
    ///
    /// # Panics
    ///
    /// Never: the size of the small picture is legal.
    pub fn new(image: &RgbImage) -> Result<Self, AugmentationError> {
        let small =
            EvaluationTransform::new(LUMA as u32, ResizeFilter::Bilinear, Normalization::NONE);
        let small = small.expect("the size is legal").with_fit(Fit::Squash);
        let mut values = vec![0.0; small.view_len()]; // [3, 64, 64]
        small.view_into(image, &mut values)?;
        let (planes, _) = values.as_chunks::<{ LUMA * LUMA }>();
        let [red, green, blue] = [&planes[0], &planes[1], &planes[2]];
        let luma: Vec<f32> = (0..LUMA * LUMA)
            .map(|at| 0.299 * red[at] + 0.587 * green[at] + 0.114 * blue[at])
            .collect();
        let color = |plane: &[f32], scale: f32| {
            let off: Vec<f32> =
                plane.iter().zip(&luma).map(|(x, y)| 0.5 + scale * (x - y)).collect();
            shrunk(&off, LUMA / CHROMA)
        };
        let chroma = [color(blue, 0.564), color(red, 0.713)].concat();
        let bytes = |values: &[f32]| values.iter().map(|&x| (255.0 * x).round() as u8).collect();
        Ok(Self {
            width: image.width(),
            height: image.height(),
            checksum: pixel_checksum(image),
            luma: bytes(&luma),
            chroma: bytes(&chroma),
        })
    }

    /// The image's width in pixels.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// The image's height in pixels.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The number of its pixels.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Its [`pixel_checksum`].
    #[must_use]
    pub fn checksum(&self) -> &[u8; 32] {
        &self.checksum
    }
}

/// A square picture with blocks of `factor` x `factor` pixels as one, their mean.
pub(super) fn shrunk(values: &[f32], factor: usize) -> Vec<f32> {
    let side = values.len().isqrt();
    let small = side / factor;
    let mut out = vec![0.0; small * small];
    for (y, row) in values.chunks_exact(side).enumerate() {
        for (x, value) in row.iter().enumerate() {
            out[y / factor * small + x / factor] += value;
        }
    }
    let scale = 1.0 / (factor * factor) as f32;
    for value in &mut out {
        *value *= scale;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn a_pixel_more_or_less_is_another_checksum_and_so_is_another_shape() {
        let image = RgbImage::from_pixel(6, 4, Rgb([200, 100, 50]));
        let print = |image: &RgbImage| Fingerprint::new(image).unwrap();
        let first = print(&image);
        assert_eq!((first.width(), first.height(), first.pixels()), (6, 4, 24));
        assert_eq!(first, print(&image.clone()));
        let mut other = image.clone();
        other.put_pixel(5, 3, Rgb([200, 100, 51]));
        assert_ne!(first.checksum(), print(&other).checksum());
        let turned = RgbImage::from_raw(4, 6, image.into_raw()).unwrap();
        assert_ne!(first.checksum(), print(&turned).checksum());
    }

    #[test]
    fn brightness_and_colours_are_those_of_jpeg() {
        // JFIF 1.02: Y = 0.299 R + 0.587 G + 0.114 B; Cb = 128 + 0.564 (B - Y); Cr = 128 + 0.713 (R - Y).
        let print = Fingerprint::new(&RgbImage::from_pixel(90, 70, Rgb([200, 100, 50]))).unwrap();
        assert!(print.luma.iter().all(|&y| y == 124));
        assert!(
            print.chroma[..256].iter().all(|&cb| (85..=87).contains(&cb)),
            "{}",
            print.chroma[0]
        );
        assert!(print.chroma[256..].iter().all(|&cr| (181..=183).contains(&cr)));
    }

    #[test]
    fn an_image_without_pixels_is_an_error() {
        assert!(Fingerprint::new(&RgbImage::new(0, 3)).is_err());
    }
}
