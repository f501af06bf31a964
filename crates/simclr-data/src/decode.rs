//! From an image file to pixels.

mod content;
mod faults;
mod jpeg;
mod scans_apart;
mod to_rgb8;
mod turn;

use std::{
    fs::File,
    io::{self, Cursor, Read},
    panic::{UnwindSafe, catch_unwind},
    path::Path,
};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, RgbImage,
    error::{DecodingError, ImageFormatHint},
};

pub(crate) use self::content::Content;
pub use self::content::misnamed;

use self::jpeg::Jpeg;
use crate::{DataError, ImagePart, PartialImage, patience::patiently};

/// The ground of transparent images unless another is asked for, as on a printed page.
pub(crate) const WHITE: [u8; 3] = [255; 3];

/// Largest side, in pixels, of an image that is decoded.
const MAX_SIDE: u32 = 20_000;
/// Most bytes that are read from a file, and most that a decoder may allocate: a small file can claim to be a huge
/// image.
const MAX_BYTES: u64 = 512 << 20;

/// The image in a JPEG, PNG, WebP, BMP, GIF (its first frame) or TIFF file, upright and in 8-bit RGB, as
/// [`ImageFolder`](crate::ImageFolder) reads it.
///
/// Gray becomes three equal channels, CMYK is converted, and what is transparent lies on white ([`decode_image_on`] takes another
/// ground): the colours under it are not meant to be seen. 16 bits are rounded to 8. If the values of an image of 16 bits
/// span no more than 14, as those of X-ray and CT images do, they are first stretched from the image's least to its largest value.
///
/// What may be the hiccup of a disk or a network is tried again, twice within a quarter of a second.
///
/// # Errors
///
/// [`DataError::Unreadable`] if the file cannot be read; [`DataError::Decode`] if it holds no such image, a truncated one,
/// floating-point pixels, or an image of no pixels, of more than 20,000 a side or of more than 512 MiB.
pub fn decode_image(path: impl AsRef<Path>) -> Result<RgbImage, DataError> {
    decode_image_on(path, WHITE)
}

/// Like [`decode_image`], with what is transparent on `ground`: red, green and blue.
///
/// # Errors
///
/// As [`decode_image`].
///
/// ```
/// use image::{Rgb, Rgba, RgbaImage};
/// use simclr_data::decode_image_on;
///
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("clear.png");
/// RgbaImage::from_pixel(4, 4, Rgba([200, 0, 0, 0])).save(&path)?;
/// assert_eq!(decode_image_on(&path, [0; 3])?.get_pixel(0, 0), &Rgb([0; 3]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decode_image_on(path: impl AsRef<Path>, ground: [u8; 3]) -> Result<RgbImage, DataError> {
    decode_part_on(path, ground, ImagePart::whole).map(PartialImage::into_pixels)
}

/// Like [`decode_image_on`], of the part that is needed at least.
///
/// `choose` is told the width and the height of the upright image. Sequential JPEGs, as most photos are, are decoded where and as finely
/// as it asks for; of other images there is all. Where pixels are decoded changes nothing about them, how finely does: they are then made
/// from the lowest frequencies of their blocks, as libjpeg does it.
///
/// # Errors
///
/// As [`decode_image`].
///
/// ```
/// use image::{Rgb, RgbImage};
/// use simclr_data::{ImagePart, Resolution, decode_part_on};
///
/// # let dir = tempfile::tempdir()?;
/// let path = dir.path().join("photo.jpg");
/// RgbImage::from_pixel(600, 400, Rgb([90, 60, 30])).save(&path)?;
///
/// let (x, y, resolution) = (100, 100, Resolution::Half);
/// let needed = ImagePart { x, y, width: 300, height: 200, resolution };
/// let part = decode_part_on(&path, [255; 3], |_, _| needed)?;
/// assert_eq!(part.pixels().dimensions(), (150, 100));
/// assert_eq!(part.place(120, 110, 200, 100), [10, 5, 100, 50]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn decode_part_on(
    path: impl AsRef<Path>,
    ground: [u8; 3],
    choose: impl FnOnce(u32, u32) -> ImagePart,
) -> Result<PartialImage, DataError> {
    let path = path.as_ref();
    let bytes = patiently(|| {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
    .map_err(|source| DataError::Unreadable { path: path.to_owned(), source })?;
    decode_part_bytes_on(&bytes, ground, choose)
        .map_err(|source| DataError::Decode { path: path.to_owned(), source })
}

/// Like [`decode_image`], from the content of a file.
///
/// # Errors
///
/// The decoder's [`ImageError`] where [`decode_image`] gives [`DataError::Decode`].
pub fn decode_image_bytes(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    decode_image_bytes_on(bytes, WHITE)
}

/// Like [`decode_image_on`], from the content of a file.
///
/// # Errors
///
/// As [`decode_image_bytes`].
pub fn decode_image_bytes_on(bytes: &[u8], ground: [u8; 3]) -> Result<RgbImage, ImageError> {
    decode_part_bytes_on(bytes, ground, ImagePart::whole).map(PartialImage::into_pixels)
}

/// Like [`decode_part_on`], from the content of a file.
///
/// # Errors
///
/// As [`decode_image_bytes`].
pub fn decode_part_bytes_on(
    bytes: &[u8],
    ground: [u8; 3],
    choose: impl FnOnce(u32, u32) -> ImagePart,
) -> Result<PartialImage, ImageError> {
    let jpeg = or_panic_as_error(|| Ok(Jpeg::read(bytes)))?;
    let Some(jpeg) = jpeg.filter(|jpeg| is_within_limits(bytes, jpeg)) else {
        let image = or_panic_as_error(|| decode(bytes, ground))?;
        choose(image.width(), image.height());
        return Ok(PartialImage::whole(image));
    };
    let [width, height] = jpeg.upright_sides();
    let part = choose(width, height);
    match or_panic_as_error(|| Ok(jpeg.part(part)))? {
        Some(part) => Ok(part),
        // One with a fault: whether it can be read all the same is left to the usual decoder.
        None => or_panic_as_error(|| decode(bytes, ground)).map(PartialImage::whole),
    }
}

/// Decodes a part of a JPEG by our own decoder alone, with whether the part lies inside the image; for the fuzz targets.
#[cfg(fuzzing)]
pub fn decode_jpeg_part(bytes: &[u8], part: ImagePart) -> Option<(PartialImage, bool)> {
    let jpeg = Jpeg::read(bytes)?;
    let [width, height] = jpeg.upright_sides();
    let ends = [(part.x, part.width, width), (part.y, part.height, height)];
    let inside = ends.iter().all(|&(start, length, side)| length > 0 && start + length <= side);
    // Larger ones take more time than they tell.
    if width.max(height) > 1000 {
        return None;
    }
    jpeg.part(part).map(|part| (part, inside))
}

/// Whether a JPEG is one that the usual decoder would not refuse for its size.
fn is_within_limits(bytes: &[u8], jpeg: &Jpeg) -> bool {
    let [width, height] = jpeg.upright_sides();
    bytes.len() as u64 <= MAX_BYTES
        && width.max(height) <= MAX_SIDE
        && 3 * u64::from(width) * u64::from(height) <= MAX_BYTES
}

/// Turns a panic of the decoder, on a file that its authors did not foresee, into an error like those of other files.
fn or_panic_as_error<T>(
    decode: impl FnOnce() -> Result<T, ImageError> + UnwindSafe,
) -> Result<T, ImageError> {
    catch_unwind(decode).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason");
        let reason = format!("the decoder panicked: {text}");
        Err(ImageError::Decoding(DecodingError::new(ImageFormatHint::Unknown, reason)))
    })
}

fn decode(bytes: &[u8], ground: [u8; 3]) -> Result<RgbImage, ImageError> {
    let content = Content::of(bytes);
    let Content::Image(format) = content else {
        let found = content.name();
        return Err(refused(format!("expected JPEG, PNG, WebP, BMP, GIF or TIFF, found {found}")));
    };
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refused(format!("expected a file of at most {MAX_BYTES} bytes, found more")));
    }
    faults::refuse_truncated_jpeg(bytes)?;
    faults::refuse_broken_png_palette(bytes)?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if width.max(height) > MAX_SIDE {
        return Err(refused(format!(
            "expected at most {MAX_SIDE} pixels a side, found {width} x {height}"
        )));
    }
    if width.min(height) == 0 {
        return Err(refused(format!("expected pixels, found {width} x {height}")));
    }
    // A decoder limits what it allocates itself, not the buffer that it is given to fill.
    limits.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = if scans_apart::is_misread(bytes) {
        DynamicImage::ImageRgb8(scans_apart::decode(bytes, MAX_BYTES as usize)?)
    } else {
        DynamicImage::from_decoder(decoder)?
    };
    image.apply_orientation(orientation);
    to_rgb8::to_rgb8(image, ground)
}

/// The error for a file that the decoders are not given, or that they would read wrongly.
fn refused(reason: impl Into<String>) -> ImageError {
    io::Error::new(io::ErrorKind::InvalidData, reason.into()).into()
}

#[cfg(test)]
mod tests;
