use image::RgbImage;

use crate::weights::GRAY;

/// A square view in single precision: all of red, then green, then blue, each row by row.
///
/// Colours are computed on planes and not on u8 images, where rounding after each operation would lose a
/// level or two.
pub struct Planes<'a> {
    size: usize,
    values: &'a mut [f32],
}

impl<'a> Planes<'a> {
    /// `values` holds `3 * size * size` numbers.
    pub(crate) fn new(size: usize, values: &'a mut [f32]) -> Self {
        debug_assert_eq!(values.len(), 3 * size * size);
        Self { size, values }
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// Red, green and blue, `size * size` values each.
    pub fn channels(&mut self) -> [&mut [f32]; 3] {
        let area = self.size * self.size;
        let (red, rest) = self.values.split_at_mut(area);
        let (green, blue) = rest.split_at_mut(area);
        [red, green, blue]
    }

    /// Strips of `len` pixels, each the same pixels of all channels; the last strip may be shorter.
    pub(crate) fn strips(&mut self, len: usize) -> impl Iterator<Item = [&mut [f32]; 3]> {
        let [red, green, blue] = self.channels();
        let red_and_green = red.chunks_mut(len).zip(green.chunks_mut(len));
        red_and_green.zip(blue.chunks_mut(len)).map(|((red, green), blue)| [red, green, blue])
    }

    /// Rounds values in `[0, 1]` to interleaved u8 pixels.
    pub(crate) fn into_image(mut self) -> RgbImage {
        let side = self.size as u32;
        let mut image = RgbImage::new(side, side);
        let [red, green, blue] = self.channels();
        for (index, pixel) in image.pixels_mut().enumerate() {
            pixel.0 =
                [red[index], green[index], blue[index]].map(|value| (value * 255.0).round() as u8);
        }
        image
    }
}

#[inline(always)]
pub(crate) fn gray_of(red: f32, green: f32, blue: f32) -> f32 {
    GRAY[0] * red + GRAY[1] * green + GRAY[2] * blue
}
