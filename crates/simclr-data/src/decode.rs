//! From an image file to pixels.

mod faults;
mod scans_apart;

use std::{
    fs::File,
    io::{Cursor, Read},
    panic::{UnwindSafe, catch_unwind},
    path::Path,
};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, Rgb, RgbImage,
    error::{DecodingError, ImageFormatHint},
};

use crate::DataError;

/// Largest side, in pixels, of an image that is decoded.
const MAX_SIDE: u32 = 20_000;
/// Most bytes that are read from a file, and most that a decoder may allocate: a small file can claim to be a huge
/// image.
const MAX_BYTES: u64 = 512 << 20;

/// The image in a JPEG, PNG, WebP, BMP, GIF (its first frame) or TIFF file, upright and in 8-bit RGB, as
/// [`ImageFolder`](crate::ImageFolder) reads it.
///
/// Gray becomes three equal channels, 16 bits are rounded to 8, CMYK is converted, and what is transparent lies on white:
/// the colours under it are not meant to be seen.
///
/// # Errors
///
/// [`DataError::Missing`] or [`DataError::Io`] if the file cannot be read; [`DataError::Decode`] if it holds no such
/// image, a truncated one, or one of more than 20,000 pixels a side or 512 MiB.
pub fn decode_image(path: impl AsRef<Path>) -> Result<RgbImage, DataError> {
    let path = path.as_ref();
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
        .map_err(|source| DataError::from_io(path, "an image", source))?;
    decode_image_bytes(&bytes).map_err(|source| DataError::Decode { path: path.to_owned(), source })
}

/// Like [`decode_image`], from the content of a file.
///
/// # Errors
///
/// The decoder's [`ImageError`] where [`decode_image`] gives [`DataError::Decode`].
pub fn decode_image_bytes(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    or_panic_as_error(|| decode(bytes))
}

/// Turns a panic of the decoder, on a file that its authors did not foresee, into an error like those of other files.
fn or_panic_as_error(
    decode: impl FnOnce() -> Result<RgbImage, ImageError> + UnwindSafe,
) -> Result<RgbImage, ImageError> {
    catch_unwind(decode).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason");
        let reason = format!("the decoder panicked: {text}");
        Err(ImageError::Decoding(DecodingError::new(ImageFormatHint::Unknown, reason)))
    })
}

fn decode(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    faults::refuse_truncated_jpeg(bytes)?;
    faults::refuse_broken_png_palette(bytes)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    // A decoder limits what it allocates itself, not the buffer that it is given to fill.
    limits.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = if scans_apart::is_misread(bytes) {
        DynamicImage::ImageRgb8(scans_apart::decode(bytes, MAX_BYTES as usize)?)
    } else {
        DynamicImage::from_decoder(decoder)?
    };
    image.apply_orientation(orientation);
    Ok(on_white(image))
}

/// The image in 8-bit RGB, with what is transparent on white.
fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, alpha] = image.get_pixel(x, y).0;
        let blend = |colour: u8| {
            let (colour, alpha) = (u32::from(colour), u32::from(alpha));
            ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        Rgb([r, g, b].map(blend))
    })
}

#[cfg(test)]
mod tests;
