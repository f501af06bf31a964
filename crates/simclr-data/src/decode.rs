//! From an image file to pixels.

use std::{
    fs::File,
    io::{self, Cursor, Read},
    panic::{UnwindSafe, catch_unwind},
    path::Path,
};

use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage,
    error::{DecodingError, ImageFormatHint},
};

use crate::DataError;

/// Largest side of an image in pixels that is decoded.
const MAX_SIDE: u32 = 20_000;
/// Most bytes that a file may have and that a decoder may ask for: a small file can claim to be a huge image.
const MAX_BYTES: u64 = 512 << 20;

/// The image in a JPEG, PNG or WebP file, as [`ImageFolder`](crate::ImageFolder) reads it: upright, 8-bit
/// RGB.
///
/// Gray becomes three equal channels, 16 bits are rounded to 8, CMYK is converted, and transparency is dropped.
///
/// # Errors
///
/// [`DataError::Missing`] or [`DataError::Io`] if the file cannot be read; [`DataError::Decode`] if it holds no such
/// image, one that is cut off, or one of more than 20,000 pixels a side or 512 MiB.
pub fn decode_image(path: impl AsRef<Path>) -> Result<RgbImage, DataError> {
    let path = path.as_ref();
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes))
        .map_err(|source| DataError::from_io(path, "an image", source))?;
    decode_image_bytes(&bytes).map_err(|source| DataError::Decode { path: path.to_owned(), source })
}

/// The same for what a file holds: see [`decode_image`].
///
/// # Errors
///
/// [`ImageError`] as the decoder gives it, for what [`decode_image`] calls [`DataError::Decode`].
pub fn decode_image_bytes(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    or_panic_as_error(|| decode(bytes))
}

/// A decoder that panics has met a file that its authors did not foresee: an error like any other file's.
fn or_panic_as_error(
    decode: impl FnOnce() -> Result<RgbImage, ImageError> + UnwindSafe,
) -> Result<RgbImage, ImageError> {
    catch_unwind(decode).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason");
        Err(unreadable(ImageFormatHint::Unknown, format!("the decoder panicked: {text}")))
    })
}

fn unreadable(format: ImageFormatHint, reason: impl Into<String>) -> ImageError {
    ImageError::Decoding(DecodingError::new(format, reason.into()))
}

fn decode(bytes: &[u8]) -> Result<RgbImage, ImageError> {
    // The decoder fills what a cut-off JPEG lacks with gray, and an encoder would learn the gray.
    if is_cut_off_jpeg(bytes) {
        let reason = "expected an end-of-image marker, found the end of the file";
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason).into());
    }
    // The decoder panics on it (`png` 0.18.1).
    if let Some(length) = broken_png_palette(bytes) {
        let reason =
            format!("expected a palette of 1 to 256 colours of 3 bytes, found {length} bytes");
        return Err(unreadable(ImageFormatHint::Exact(ImageFormat::Png), reason));
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

/// The length of a PNG's first palette if it is none that a palette may have (PNG specification, 11.2.2).
fn broken_png_palette(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    // Chunks: length, type, data, checksum.
    while let [a, b, c, d, kind @ ..] = rest {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if kind.starts_with(b"PLTE") {
            let is_whole = length.is_multiple_of(3) && (3..=768).contains(&length);
            return (!is_whole).then_some(length);
        }
        rest = rest.get(length.checked_add(12)?..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use image::{
        ExtendedColorType, ImageEncoder, Rgb,
        codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
    };

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
        let as_stored = decode_image_bytes(&jpeg(1)).unwrap();
        assert_eq!(as_stored.dimensions(), (32, 16));
        assert!(as_stored.get_pixel(2, 8).0[0] < 20);
        // Orientation 6: to be turned clockwise, so that the black left comes to the top.
        let turned = decode_image_bytes(&jpeg(6)).unwrap();
        assert_eq!(turned.dimensions(), (16, 32));
        assert!(turned.get_pixel(8, 2).0[0] < 20 && turned.get_pixel(8, 29).0[0] > 235);
    }

    #[test]
    fn a_jpeg_that_is_cut_off_anywhere_is_refused() {
        let whole = jpeg(1);
        for length in 0..whole.len() {
            assert!(
                decode_image_bytes(&whole[..length]).is_err(),
                "cut off after {length} of {} bytes",
                whole.len()
            );
        }
    }

    #[test]
    fn bytes_after_the_end_of_a_jpeg_do_no_harm() {
        let mut bytes = jpeg(1);
        bytes.extend(b"a camera's own data");
        assert!(decode_image_bytes(&bytes).is_ok());
    }

    /// A PNG of 2 x 1 pixels.
    fn png(samples: &[u8], color: ExtendedColorType) -> Vec<u8> {
        let mut bytes = Vec::new();
        PngEncoder::new(&mut bytes).write_image(samples, 2, 1, color).unwrap();
        bytes
    }

    fn pixels(bytes: &[u8]) -> Vec<[u8; 3]> {
        decode_image_bytes(bytes).unwrap().pixels().map(|pixel| pixel.0).collect()
    }

    #[test]
    fn gray_becomes_three_equal_channels() {
        assert_eq!(pixels(&png(&[7, 200], ExtendedColorType::L8)), [[7; 3], [200; 3]]);
        let mut jpeg = Vec::new();
        JpegEncoder::new(&mut jpeg).write_image(&[90; 64], 8, 8, ExtendedColorType::L8).unwrap();
        assert!(pixels(&jpeg).iter().all(|&[r, g, b]| r.abs_diff(90) < 3 && r == g && g == b));
    }

    #[test]
    fn transparency_is_dropped_with_and_without_colour() {
        let rgba = png(&[1, 2, 3, 0, 4, 5, 6, 128], ExtendedColorType::Rgba8);
        assert_eq!(pixels(&rgba), [[1, 2, 3], [4, 5, 6]]);
        assert_eq!(pixels(&png(&[9, 0, 8, 255], ExtendedColorType::La8)), [[9; 3], [8; 3]]);
    }

    #[test]
    fn sixteen_bits_are_rounded_to_eight() {
        let samples: Vec<u8> =
            [0_u16, 65_535, 257, 25_700, 128, 129].into_iter().flat_map(u16::to_ne_bytes).collect();
        let rgb = png(&samples, ExtendedColorType::Rgb16);
        assert_eq!(pixels(&rgb), [[0, 255, 1], [100, 0, 1]]);
        let gray = png(&samples[4..8], ExtendedColorType::L16);
        assert_eq!(pixels(&gray), [[1; 3], [100; 3]]);
    }

    /// A CMYK JPEG of 8 x 8 equal pixels, with the inks inverted as Adobe's are (`image` writes none).
    ///
    /// Quantised by 8, a flat block's only coefficient is its level less 128.
    fn cmyk_jpeg(inks: [u8; 4]) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xee, 0, 14];
        bytes.extend(b"Adobe\0\x64\0\0\0\0\0"); // transform 0: no YCCK
        bytes.extend([0xff, 0xdb, 0, 67, 0]);
        bytes.extend([8; 64]);
        bytes.extend([0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4]);
        bytes.extend([1, 2, 3, 4].map(|component| [component, 0x11, 0]).concat());
        // Coefficient 0: sizes 0 to 8 as codes of four bits. The others: end of block as a zero bit.
        bytes.extend([0xff, 0xc4, 0, 28, 0x00, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(0..=8);
        bytes.extend([0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([0xff, 0xda, 0, 14, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]);
        let mut bits = String::new();
        for ink in inks {
            let level = i32::from(255 - ink) - 128;
            let size = 32 - level.unsigned_abs().leading_zeros() as usize;
            write!(bits, "{size:04b}").unwrap();
            if size > 0 {
                let code = if level < 0 { level + (1 << size) - 1 } else { level };
                write!(bits, "{code:0size$b}").unwrap();
            }
            bits += "0";
        }
        bits += &"1".repeat(bits.len().next_multiple_of(8) - bits.len());
        for byte in bits.as_bytes().chunks(8) {
            let byte = byte.iter().fold(0, |byte, bit| 2 * byte + (bit - b'0'));
            bytes.push(byte);
            if byte == 0xff {
                bytes.push(0);
            }
        }
        bytes.extend([0xff, 0xd9]);
        bytes
    }

    #[test]
    fn cmyk_jpegs_have_the_colours_of_their_inks() {
        // No ink, all magenta and yellow, all black, half of cyan.
        for (inks, expected) in [
            ([0, 0, 0, 0], [255, 255, 255]),
            ([0, 255, 255, 0], [255, 0, 0]),
            ([0, 0, 0, 255], [0, 0, 0]),
            ([128, 0, 0, 0], [127, 255, 255]),
        ] {
            for pixel in pixels(&cmyk_jpeg(inks)) {
                let close = pixel.iter().zip(expected).all(|(a, b): (&u8, u8)| a.abs_diff(b) < 4);
                assert!(close, "{inks:?}: {pixel:?}");
            }
        }
    }

    /// A palette of two thirds of a colour, on which the decoder panics.
    #[test]
    fn a_palette_of_no_whole_colours_is_refused() {
        let chunk = |kind: &[u8], data: &[u8]| {
            let length = (data.len() as u32).to_be_bytes();
            [&length[..], kind, data, &[0; 4]].concat()
        };
        let header = [0, 0, 0, 1, 0, 0, 0, 1, 8, 3, 0, 0, 0];
        let png = |palette: &[u8]| {
            let signature = b"\x89PNG\r\n\x1a\n".to_vec();
            [signature, chunk(b"IHDR", &header), chunk(b"PLTE", palette)].concat()
        };
        for length in [0, 2, 671, 771] {
            assert_eq!(broken_png_palette(&png(&vec![7; length])), Some(length));
            let error = decode_image_bytes(&png(&vec![7; length])).unwrap_err().to_string();
            assert!(error.ends_with(&format!("3 bytes, found {length} bytes")), "{error}");
        }
        assert_eq!(broken_png_palette(&png(&[7; 768])), None);
        assert_eq!(broken_png_palette(&png(&[7; 3])[..20]), None);
    }

    #[test]
    fn a_decoder_that_panics_is_an_error() {
        let error = or_panic_as_error(|| panic!("told to panic")).unwrap_err().to_string();
        assert!(error.ends_with("the decoder panicked: told to panic"), "{error}");
    }

    #[test]
    fn every_format_is_refused_when_it_is_cut_off() {
        let noise: Vec<u8> = (0..3 * 40 * 40_u32).map(|i| ((i * i * 31) >> 3) as u8).collect();
        let mut webp = Vec::new();
        WebPEncoder::new_lossless(&mut webp)
            .encode(&noise, 40, 40, ExtendedColorType::Rgb8)
            .unwrap();
        let mut png = Vec::new();
        PngEncoder::new(&mut png).write_image(&noise, 40, 40, ExtendedColorType::Rgb8).unwrap();
        for whole in [webp, png] {
            assert!(decode_image_bytes(&whole).is_ok());
            for length in (0..whole.len() - 20).step_by(7) {
                let format = image::guess_format(&whole).unwrap();
                assert!(
                    decode_image_bytes(&whole[..length]).is_err(),
                    "{format:?} cut off after {length} of {}",
                    whole.len()
                );
            }
        }
    }

    #[test]
    fn very_long_and_single_pixel_images_are_read() {
        for (width, height) in [(20_000, 3), (1, 1), (1, 900)] {
            let image = RgbImage::from_pixel(width, height, Rgb([1, 2, 3]));
            let mut bytes = Cursor::new(Vec::new());
            image.write_to(&mut bytes, ImageFormat::Png).unwrap();
            assert_eq!(decode_image_bytes(bytes.get_ref()).unwrap(), image);
        }
    }

    #[test]
    fn a_side_above_the_limit_is_refused() {
        let image = RgbImage::new(20_001, 1);
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        assert!(matches!(decode_image_bytes(bytes.get_ref()), Err(ImageError::Limits(_))));
    }
}
