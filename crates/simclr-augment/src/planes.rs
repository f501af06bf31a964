use image::RgbImage;

use crate::Normalization;

/// The weights of red, green and blue in a gray value (ITU-R BT.601).
pub(crate) const GRAY: [f32; 3] = [0.299, 0.587, 0.114];

/// A square view in single precision: all of red, then green, then blue, each row by row.
///
/// Colour is computed here, between the u8 image and the encoder's input, because rounding to u8
/// after each operation would lose a level or two.
pub(crate) struct Planes<'a> {
    size: usize,
    values: &'a mut [f32],
}

impl<'a> Planes<'a> {
    /// `values` holds `3 * size * size` numbers.
    pub(crate) fn new(size: usize, values: &'a mut [f32]) -> Self {
        debug_assert_eq!(values.len(), 3 * size * size);
        Self { size, values }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Red, green and blue, `size * size` values each.
    pub(crate) fn channels(&mut self) -> [&mut [f32]; 3] {
        let area = self.size * self.size;
        let (red, rest) = self.values.split_at_mut(area);
        let (green, blue) = rest.split_at_mut(area);
        [red, green, blue]
    }

    /// Takes interleaved u8 pixels, scaled to `[0, 1]`; mirrors each row if `flip`.
    pub(crate) fn fill(&mut self, pixels: &[u8], flip: bool) {
        let size = self.size;
        let [red, green, blue] = self.channels();
        let planes = red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut());
        for (((r, g), b), pixel) in planes.zip(pixels.chunks_exact(3)) {
            (*r, *g, *b) = (unit(pixel[0]), unit(pixel[1]), unit(pixel[2]));
        }
        if flip {
            for plane in [red, green, blue] {
                plane.chunks_exact_mut(size).for_each(<[f32]>::reverse);
            }
        }
    }

    pub(crate) fn gray(&mut self) {
        let [red, green, blue] = self.channels();
        for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
            let gray = gray_of(*r, *g, *b);
            (*r, *g, *b) = (gray, gray, gray);
        }
    }

    pub(crate) fn normalize(&mut self, normalization: &Normalization) {
        for (channel, plane) in self.channels().into_iter().enumerate() {
            let (mean, std) = (normalization.mean[channel], normalization.std[channel]);
            for value in plane {
                *value = (*value - mean) / std;
            }
        }
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

fn unit(level: u8) -> f32 {
    f32::from(level) / 255.0
}

pub(crate) fn gray_of(red: f32, green: f32, blue: f32) -> f32 {
    GRAY[0] * red + GRAY[1] * green + GRAY[2] * blue
}
