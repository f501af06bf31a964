use std::fmt::Write;

use image::{
    ExtendedColorType, ImageEncoder, ImageFormat, Rgb,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
};

use super::*;

/// A JPEG whose left half is black and whose right half is white, with an EXIF orientation.
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
    // Orientation 6 is turned clockwise, so that the black left half comes to the top.
    let turned = decode_image_bytes(&jpeg(6)).unwrap();
    assert_eq!(turned.dimensions(), (16, 32));
    assert!(turned.get_pixel(8, 2).0[0] < 20 && turned.get_pixel(8, 29).0[0] > 235);
}

fn assert_refused_when_truncated(whole: &[u8], lengths: impl Iterator<Item = usize>) {
    for length in lengths {
        let format = image::guess_format(whole).unwrap();
        assert!(
            decode_image_bytes(&whole[..length]).is_err(),
            "{format:?} truncated after {length} of {} bytes",
            whole.len()
        );
    }
}

#[test]
fn a_jpeg_that_is_truncated_anywhere_is_refused() {
    let whole = jpeg(1);
    assert_refused_when_truncated(&whole, 0..whole.len());
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
fn what_is_transparent_lies_on_white_with_and_without_colour() {
    let rgba = png(&[1, 2, 3, 0, 4, 5, 6, 128], ExtendedColorType::Rgba8);
    assert_eq!(pixels(&rgba), [[255; 3], [129, 130, 130]]);
    assert_eq!(pixels(&png(&[9, 0, 8, 255], ExtendedColorType::La8)), [[255; 3], [8; 3]]);
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

/// A CMYK JPEG of 8 x 8 equal pixels, with inverted inks as Adobe writes them. (`image` writes no CMYK.)
///
/// With a quantisation of 8, the only coefficient of a flat block is its level minus 128.
fn cmyk_jpeg(inks: [u8; 4]) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xee, 0, 14];
    bytes.extend(b"Adobe\0\x64\0\0\0\0\0"); // transform 0: no YCCK
    bytes.extend([0xff, 0xdb, 0, 67, 0]);
    bytes.extend([8; 64]);
    bytes.extend([0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4]);
    bytes.extend([1, 2, 3, 4].map(|component| [component, 0x11, 0]).concat());
    // Coefficient 0: sizes 0 to 8 as codes of four bits. The others: one zero bit for the end of the block.
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
    // No ink; full magenta and yellow; full black; half cyan.
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

#[test]
fn a_decoder_that_panics_is_an_error() {
    let error = or_panic_as_error::<RgbImage>(|| panic!("told to panic")).unwrap_err().to_string();
    assert!(error.ends_with("the decoder panicked: told to panic"), "{error}");
}

#[test]
fn every_format_is_refused_when_it_is_truncated() {
    let noise: Vec<u8> = (0..3 * 40 * 40_u32).map(|i| ((i * i * 31) >> 3) as u8).collect();
    let mut webp = Vec::new();
    WebPEncoder::new_lossless(&mut webp).encode(&noise, 40, 40, ExtendedColorType::Rgb8).unwrap();
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(&noise, 40, 40, ExtendedColorType::Rgb8).unwrap();
    for whole in [webp, png] {
        assert!(decode_image_bytes(&whole).is_ok());
        assert_refused_when_truncated(&whole, (0..whole.len() - 20).step_by(7));
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
    let error = decode_image_bytes(bytes.get_ref()).unwrap_err().to_string();
    assert_eq!(error, "expected at most 20000 pixels a side, found 20001 x 1");
}

/// Found by fuzzing: a GIF whose screen is 361 pixels wide and no pixel high was an image.
#[test]
fn an_image_without_pixels_is_refused() {
    let gif = b"GIF89a\x69\x01\x00\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b";
    let error = decode_image_bytes(gif).unwrap_err();
    assert_eq!(error.to_string(), "expected pixels, found 361 x 0");
}

#[test]
fn what_is_no_image_is_refused_by_its_name() {
    for (bytes, found) in [
        (&b""[..], "an empty file"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"<!doctype html><title>404</title>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer in place of the file"),
        (b"no image at all", "text"),
        (&[0; 500], "zeros"),
        (b"\x9c\x01\0\xfe", "none that is known"),
    ] {
        let error = decode_image_bytes(bytes).unwrap_err().to_string();
        assert_eq!(error, format!("expected JPEG, PNG, WebP, BMP, GIF or TIFF, found {found}"));
    }
}
