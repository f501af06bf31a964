use image::RgbImage;

use crate::config::ResizeFilter;
use crate::cpu::{Planes, Resampler, Resampling};
use crate::draw::{CropBox, ViewParams};
use crate::weights::Axis;

/// One in the fixed-point numbers of a resized crop: f32 has as many steps between 0.5 and 1.
pub(super) const FIXED_POINT_ONE: f32 = 16_777_216.0;

/// A side up to which a device computes the weights of a resized crop from f32 numbers.
const LONGEST_SIDE: u32 = 1 << 22;

/// A view's parameters and its pixels, as they go to the device: the output of
/// [`DeviceAugmentation::prepare`](crate::DeviceAugmentation::prepare).
#[derive(Debug, Clone)]
pub struct PreparedView {
    params: ViewParams,
    size: u32,
    pixels: Pixels,
    words: Vec<i32>,
}

/// What the words of a view hold: its pixels row by row, red, green and blue of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pixels {
    /// The crop: four bytes in a word, the first one in its lowest bits. The last word ends with zeros.
    Crop,
    /// The view after flips and resizing: a fixed-point number in `[0, 1]` in each word.
    Resized,
}

impl PreparedView {
    /// From checked parameters.
    pub(super) fn new(
        image: &RgbImage,
        params: &ViewParams,
        size: u32,
        filter: ResizeFilter,
    ) -> Self {
        let (pixels, words) = if is_smaller_resized(params, size) {
            (Pixels::Resized, resized(image, params, size, filter))
        } else {
            (Pixels::Crop, cut_out(image, params.crop))
        };
        Self { params: params.clone(), size, pixels, words }
    }

    /// The parameters that were drawn for the view.
    #[must_use]
    pub fn params(&self) -> &ViewParams {
        &self.params
    }

    pub(super) fn size(&self) -> u32 {
        self.size
    }

    pub(super) fn pixels(&self) -> Pixels {
        self.pixels
    }

    pub(super) fn words(&self) -> &[i32] {
        &self.words
    }

    /// The sides of the view, and the pixels along them that are still to be resized; one pixel, which has no effect, if
    /// that is done.
    pub(super) fn axes(&self) -> [Axis; 2] {
        match self.pixels {
            Pixels::Crop => Axis::of_view(&self.params, [self.size; 2]),
            Pixels::Resized => [Axis::whole(1, self.size, false); 2],
        }
    }
}

/// Whether a word for each value of the view is less than a byte for each of the crop. Crops with an extremely long side
/// count too.
fn is_smaller_resized(params: &ViewParams, size: u32) -> bool {
    let area = |width: u32, height: u32| u64::from(width) * u64::from(height);
    let is_long = |axis: &Axis| axis.input.max(axis.resized) > LONGEST_SIDE;
    4 * area(size, size) < area(params.crop.width, params.crop.height)
        || Axis::of_view(params, [size; 2]).iter().any(is_long)
}

fn cut_out(image: &RgbImage, CropBox { x, y, width, height }: CropBox) -> Vec<i32> {
    let row = 3 * width as usize;
    let stride = 3 * image.width() as usize;
    let start = y as usize * stride + 3 * x as usize;
    let mut bytes = Vec::with_capacity((row * height as usize).next_multiple_of(4));
    for source in image.as_raw()[start..].chunks(stride).take(height as usize) {
        bytes.extend_from_slice(&source[..row]);
    }
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.as_chunks().0.iter().copied().map(i32::from_le_bytes).collect()
}

fn resized(image: &RgbImage, params: &ViewParams, size: u32, filter: ResizeFilter) -> Vec<i32> {
    let area = size as usize * size as usize;
    let mut values = vec![0.0; 3 * area];
    let task = Resampling { image, params, place: CropBox::whole(size, size), filter };
    Resampler::default().resample(&task, &mut Planes::new(size as usize, &mut values));
    let planes = (0..area).flat_map(|pixel| [pixel, area + pixel, 2 * area + pixel]);
    // A cubic overshoots at edges, which the CPU path clips next.
    planes.map(|index| (values[index].clamp(0.0, 1.0) * FIXED_POINT_ONE).round() as i32).collect()
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn whole(width: u32, height: u32, size: u32) -> PreparedView {
        let image = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, (x ^ y) as u8]));
        let params = ViewParams::only_crop(CropBox::whole(width, height));
        PreparedView::new(&image, &params, size, ResizeFilter::Bicubic)
    }

    #[test]
    fn a_view_takes_at_most_the_bytes_of_its_pixels_and_of_its_values() {
        for [width, height] in [[1, 1], [31, 7], [448, 448], [449, 448], [3000, 20], [700, 900]] {
            let view = whole(width, height, 224);
            let bytes = 4 * view.words().len();
            let of_pixels = (3 * width as usize * height as usize).next_multiple_of(4);
            assert!(bytes <= of_pixels, "{width}x{height}: {bytes} bytes");
            assert!(bytes <= 12 * 224 * 224, "{width}x{height}: {bytes} bytes");
        }
        assert_eq!(whole(448, 448, 224).pixels(), Pixels::Crop);
        assert_eq!(whole(449, 448, 224).pixels(), Pixels::Resized);
    }

    #[test]
    fn four_bytes_are_a_word_from_its_lowest_bits_on() {
        let view = whole(3, 1, 8);
        let bytes: Vec<u8> = view.words().iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(bytes, [0, 0, 0, 1, 0, 1, 2, 0, 2, 0, 0, 0]);
    }

    #[test]
    fn a_resized_view_keeps_the_digits_of_its_values() {
        let image = RgbImage::from_fn(40, 30, |x, y| Rgb([(x * y) as u8, 255, 0]));
        let params = ViewParams::only_crop(CropBox::whole(40, 30));
        let (size, filter) = (8, ResizeFilter::Bicubic);
        let view = PreparedView::new(&image, &params, size, filter);
        let mut values = vec![0.0; 3 * 64];
        let task =
            Resampling { image: &image, params: &params, place: CropBox::whole(8, 8), filter };
        Resampler::default().resample(&task, &mut Planes::new(8, &mut values));
        for (index, word) in view.words().iter().enumerate() {
            let expected = values[index % 3 * 64 + index / 3].clamp(0.0, 1.0);
            assert!((*word as f32 / FIXED_POINT_ONE - expected).abs() < 1e-7);
        }
    }
}
