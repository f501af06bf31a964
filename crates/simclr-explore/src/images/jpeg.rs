//! An image as JPEG.

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, RgbImage};
use simclr_data::{DataError, ImageDataset, ImagePart, Resolution};

/// The image at `index` as a JPEG whose longer side is at most `side`.
///
/// # Errors
///
/// The data set's, if the image cannot be read.
pub(super) fn jpeg_within(
    images: &dyn ImageDataset,
    index: usize,
    side: u32,
    quality: u8,
) -> Result<Vec<u8>, DataError> {
    let mut whole = |width: u32, height: u32| ImagePart {
        resolution: Resolution::covering(width.max(height), side),
        ..ImagePart::whole(width, height)
    };
    let image = images.image_part(index, &mut whole)?.into_pixels();
    Ok(encoded(&shrunk(image, side), quality))
}

fn shrunk(image: RgbImage, side: u32) -> RgbImage {
    let longer = image.width().max(image.height());
    if longer <= side {
        return image;
    }
    let length =
        |length: u32| ((u64::from(length) * u64::from(side) / u64::from(longer)) as u32).max(1);
    let [width, height] = [image.width(), image.height()].map(length);
    imageops::resize(&image, width, height, FilterType::Triangle)
}

fn encoded(image: &RgbImage, quality: u8) -> Vec<u8> {
    let (width, height) = image.dimensions();
    let mut bytes = Vec::new();
    // JPEG has room for 65,535 pixels a side, and memory takes what is written.
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(image.as_raw(), width, height, ExtendedColorType::Rgb8)
        .expect("a small picture is always JPEG");
    bytes
}
