//! Pixels of any kind in 8-bit RGB.

use image::{
    DynamicImage::{
        self, ImageLuma16, ImageLumaA16, ImageRgb16, ImageRgb32F, ImageRgba16, ImageRgba32F,
    },
    ImageError, Rgb, RgbImage, RgbaImage,
};

use super::refused;

/// Values of 16 bits that span no more than this are stretched: cameras and detectors of up to 14 bits write such files,
/// and rounded to 8 bits as they are, at most 64 of 256 levels were left.
const NARROW: u16 = (1 << 14) - 1;

/// The image in 8-bit RGB, with what is transparent on `ground`.
///
/// # Errors
///
/// [`ImageError`] for floating-point pixels: no file tells which value is white.
pub(super) fn to_rgb8(mut image: DynamicImage, ground: [u8; 3]) -> Result<RgbImage, ImageError> {
    match &mut image {
        ImageRgb32F(_) | ImageRgba32F(_) => {
            return Err(refused("expected 8 or 16 bits a channel, found floating-point numbers"));
        }
        ImageLuma16(image) => stretch(image, 1, 1),
        ImageLumaA16(image) => stretch(image, 2, 1),
        ImageRgb16(image) => stretch(image, 3, 3),
        ImageRgba16(image) => stretch(image, 4, 3),
        _ => {}
    }
    Ok(if image.color().has_alpha() {
        on_ground(&image.into_rgba8(), ground)
    } else {
        image.into_rgb8()
    })
}

/// The image on a ground of one colour, as much of which is seen as the image is not opaque.
fn on_ground(image: &RgbaImage, ground: [u8; 3]) -> RgbImage {
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [red, green, blue, alpha] = image.get_pixel(x, y).0.map(u32::from);
        let blend = |colour: u32, ground: u8| {
            ((colour * alpha + u32::from(ground) * (255 - alpha) + 127) / 255) as u8
        };
        Rgb([blend(red, ground[0]), blend(green, ground[1]), blend(blue, ground[2])])
    })
}

/// Spreads colours that span a small part of their range over all of it, from the least to the largest value of the
/// image, in all channels alike. Pixels of `channels` values begin with `colours` of them; a further one is opacity, and
/// what cannot be seen doesn't count.
fn stretch(samples: &mut [u16], channels: usize, colours: usize) {
    let (mut least, mut most) = (u16::MAX, u16::MIN);
    for pixel in samples.chunks_exact(channels) {
        if pixel[colours..].iter().all(|&alpha| alpha > 0) {
            least = pixel[..colours].iter().copied().fold(least, u16::min);
            most = pixel[..colours].iter().copied().fold(most, u16::max);
        }
    }
    if least >= most || most - least > NARROW {
        return;
    }
    let span = u32::from(most - least);
    for pixel in samples.chunks_exact_mut(channels) {
        for value in &mut pixel[..colours] {
            let above = u32::from((*value).clamp(least, most) - least);
            *value = ((above * u32::from(u16::MAX) + span / 2) / span) as u16;
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{ImageBuffer, Luma, LumaA, Rgba};

    use super::*;

    fn gray(values: &[u16]) -> Vec<u8> {
        let image = ImageBuffer::from_raw(values.len() as u32, 1, values.to_vec()).unwrap();
        let image = to_rgb8(DynamicImage::ImageLuma16(image), [255; 3]).unwrap();
        image.pixels().map(|pixel| pixel.0[0]).collect()
    }

    #[test]
    fn twelve_bits_in_sixteen_are_stretched_from_the_least_to_the_largest_value() {
        assert_eq!(gray(&[0, 1024, 4095]), [0, 64, 255]);
        assert_eq!(gray(&[31_000, 32_000, 33_000]), [0, 128, 255]);
        assert_eq!(gray(&[7, 8]), [0, 255]);
    }

    #[test]
    fn images_that_use_their_range_or_one_value_are_rounded() {
        assert_eq!(gray(&[257, 257 + 16_383]), [0, 255], "14 bits");
        assert_eq!(gray(&[257, 257 + 16_384]), [1, 65], "more than 14 bits");
        assert_eq!(gray(&[2570, 2570]), [10, 10], "one value");
    }

    #[test]
    fn the_channels_of_a_colour_are_stretched_alike_so_that_its_hue_stays() {
        let image = ImageBuffer::from_raw(2, 1, vec![0, 0, 0, 4000, 2000, 1000]).unwrap();
        let image = to_rgb8(DynamicImage::ImageRgb16(image), [255; 3]).unwrap();
        assert_eq!(image.get_pixel(1, 0).0, [255, 128, 64]);
    }

    #[test]
    fn what_cannot_be_seen_has_no_part_in_the_range() {
        let mut image = ImageBuffer::from_pixel(3, 1, LumaA([60_000_u16, 0]));
        image.put_pixel(1, 0, LumaA([1000, u16::MAX]));
        image.put_pixel(2, 0, LumaA([3000, u16::MAX]));
        let image = to_rgb8(DynamicImage::ImageLumaA16(image), [255; 3]).unwrap();
        assert_eq!(image.pixels().map(|pixel| pixel.0[0]).collect::<Vec<_>>(), [255, 0, 255]);
    }

    #[test]
    fn floating_point_pixels_are_refused_with_the_reason() {
        let image = ImageBuffer::from_pixel(1, 1, Rgb([0.5_f32; 3]));
        let error = to_rgb8(DynamicImage::ImageRgb32F(image), [255; 3]).unwrap_err().to_string();
        assert_eq!(error, "expected 8 or 16 bits a channel, found floating-point numbers");
    }

    #[test]
    fn eight_bits_stay_as_they_are() {
        let image = ImageBuffer::from_pixel(2, 1, Luma([9_u8]));
        assert_eq!(to_rgb8(DynamicImage::ImageLuma8(image), [255; 3]).unwrap().into_raw(), [9; 6]);
    }

    #[test]
    fn opacity_mixes_the_image_with_its_ground() {
        let mut image = RgbaImage::from_pixel(3, 1, Rgba([200, 100, 0, 0]));
        image.put_pixel(1, 0, Rgba([200, 100, 0, 51]));
        image.put_pixel(2, 0, Rgba([200, 100, 0, 255]));
        let found = on_ground(&image, [0, 0, 250]);
        let pixels: Vec<_> = found.pixels().map(|pixel| pixel.0).collect();
        assert_eq!(pixels, [[0, 0, 250], [40, 20, 200], [200, 100, 0]]);
    }
}
