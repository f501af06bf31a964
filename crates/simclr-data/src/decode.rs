//! From an image file to pixels.

use std::{
    fs::File,
    io::{self, Cursor, Read},
    path::Path,
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, RgbImage};

use crate::DataError;

/// Largest side of an image in pixels that is decoded.
const MAX_SIDE: u32 = 20_000;
/// Most bytes that a file may have and that a decoder may ask for: a small file can claim to be a huge image.
const MAX_BYTES: u64 = 512 << 20;

/// The image in the file at `path`, upright, as 8-bit RGB.
pub(crate) fn decode_file(path: &Path) -> Result<RgbImage, DataError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
        .map_err(|source| DataError::from_io(path, "an image", source))?;
    decode(&bytes).map_err(|source| DataError::Decode { path: path.to_owned(), source })
}

fn decode(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    // The decoder fills what a cut-off JPEG lacks with gray, and an encoder would learn the gray.
    if is_cut_off_jpeg(bytes) {
        let reason = "expected an end-of-image marker, found the end of the file";
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason).into());
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_BYTES);
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder()?;
    // Decoders bound what they allocate themselves, not the buffer that they are given to fill.
    limits.reserve(decoder.total_bytes())?;
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image.into_rgb8())
}

/// Whether `bytes` begin like a JPEG and stop before its end (ITU-T T.81, annex B).
fn is_cut_off_jpeg(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
    let Some(mut rest) = bytes.strip_prefix(&[0xff, 0xd8]) else { return false };
    // Segment by segment up to the first scan: a preview inside the metadata has an end of its own.
    while let [0xff, marker, high, low, ..] = *rest {
        if marker == 0xff {
            rest = &rest[1..];
            continue;
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(after) = rest.get(2 + length..) else { return true };
        rest = after;
        if marker == START_OF_SCAN {
            // Within a scan, 0xff stands before a zero or a restart marker only.
            return !rest.windows(2).any(|pair| pair == END_OF_IMAGE);
        }
    }
    // Shorter than a segment's head; anything else that is wrong is for the decoder to say.
    rest.len() < 4
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, ImageEncoder, Rgb, codecs::jpeg::JpegEncoder};

    use super::*;

    /// Left half black, right half white, with an EXIF orientation.
    fn jpeg(orientation: u8) -> Vec<u8> {
        let image = RgbImage::from_fn(32, 16, |x, _| Rgb([if x < 16 { 0 } else { 255 }; 3]));
        // Big-endian TIFF header; one entry: tag 0x0112, type 3 (short), one value.
        let exif = [
            b"MM\0\x2a\0\0\0\x08\0\x01".as_slice(),
            b"\x01\x12\0\x03\0\0\0\x01\0",
            &[orientation, 0, 0, 0, 0, 0, 0],
        ];
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif.concat()).unwrap();
        encoder.write_image(image.as_raw(), 32, 16, ExtendedColorType::Rgb8).unwrap();
        bytes
    }

    #[test]
    fn images_are_turned_upright() {
        let as_stored = decode(&jpeg(1)).unwrap();
        assert_eq!(as_stored.dimensions(), (32, 16));
        assert!(as_stored.get_pixel(2, 8).0[0] < 20);
        // Orientation 6: to be turned clockwise, so that the black left comes to the top.
        let turned = decode(&jpeg(6)).unwrap();
        assert_eq!(turned.dimensions(), (16, 32));
        assert!(turned.get_pixel(8, 2).0[0] < 20 && turned.get_pixel(8, 29).0[0] > 235);
    }

    #[test]
    fn a_jpeg_that_is_cut_off_anywhere_is_refused() {
        let whole = jpeg(1);
        for length in 0..whole.len() {
            assert!(
                decode(&whole[..length]).is_err(),
                "cut off after {length} of {} bytes",
                whole.len()
            );
        }
    }

    #[test]
    fn bytes_after_the_end_of_a_jpeg_do_no_harm() {
        let mut bytes = jpeg(1);
        bytes.extend(b"a camera's own data");
        assert!(decode(&bytes).is_ok());
    }
}
