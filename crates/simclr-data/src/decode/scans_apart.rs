//! JPEGs of one scan a component, which the decoder of `image` (`zune-jpeg` 0.5) gets wrong where colours are subsampled:
//! they come out green.

use std::io;

use image::{
    ImageError, ImageFormat, RgbImage,
    error::{DecodingError, ImageFormatHint, UnsupportedError, UnsupportedErrorKind},
};
use jpeg_decoder::{Decoder, Error, PixelFormat};

/// Whether `bytes` are such a JPEG: sequential, with components of different sampling, of which the first scan lacks some
/// (ITU-T T.81, annex B).
pub(super) fn is_misread(bytes: &[u8]) -> bool {
    const SEQUENTIAL: [u8; 2] = [0xc0, 0xc1];
    const START_OF_SCAN: u8 = 0xda;
    let Some(mut rest) = bytes.strip_prefix(&[0xff, 0xd8]) else { return false };
    let mut subsampled = None;
    while let &[0xff, marker, high, low, ref after @ ..] = rest {
        if marker == 0xff {
            rest = &rest[1..];
            continue;
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(segment) = length.checked_sub(2).and_then(|length| after.get(..length)) else {
            return false;
        };
        if SEQUENTIAL.contains(&marker) {
            // Precision 1, height 2, width 2, count 1; each component: name, sampling, table.
            let [_, _, _, _, _, count, components @ ..] = segment else { return false };
            let mut samplings = components.chunks_exact(3).map(|component| component[1]);
            let first = samplings.next();
            subsampled = samplings.any(|other| Some(other) != first).then_some(*count);
        }
        if marker == START_OF_SCAN {
            let in_scan = segment.first().copied().unwrap_or(0);
            return subsampled.is_some_and(|components| in_scan < components);
        }
        rest = &after[segment.len()..];
    }
    false
}

/// Decodes such a JPEG.
///
/// # Errors
///
/// [`ImageError`] if it is damaged, larger than `most_bytes`, or neither gray nor of three components.
pub(super) fn decode(bytes: &[u8], most_bytes: usize) -> Result<RgbImage, ImageError> {
    let hint = ImageFormatHint::Exact(ImageFormat::Jpeg);
    let mut decoder = Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(most_bytes);
    let pixels = decoder.decode().map_err(|error| match error {
        Error::Io(error) => ImageError::IoError(error),
        other => ImageError::Decoding(DecodingError::new(hint.clone(), other)),
    })?;
    let info = decoder.info().ok_or_else(|| io::Error::other("the decoder tells no size"))?;
    let rgb = match info.pixel_format {
        PixelFormat::RGB24 => pixels,
        PixelFormat::L8 => pixels.into_iter().flat_map(|gray| [gray; 3]).collect(),
        other => {
            let kind = UnsupportedErrorKind::GenericFeature(format!("{other:?} in scans apart"));
            let error = UnsupportedError::from_format_and_kind(hint, kind);
            return Err(ImageError::Unsupported(error));
        }
    };
    RgbImage::from_raw(info.width.into(), info.height.into(), rgb)
        .ok_or_else(|| io::Error::other("the decoder gives too few pixels").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode_image_bytes;

    /// The bits of a scan.
    #[derive(Default)]
    struct Bits(Vec<bool>);

    impl Bits {
        fn push(&mut self, value: u32, count: u32) {
            self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        }

        /// Padded with ones; no byte may be 0xff without a zero after it.
        fn bytes(mut self) -> Vec<u8> {
            self.0.resize(self.0.len().next_multiple_of(8), true);
            let byte = |bits: &[bool]| bits.iter().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
            let stuffed = |byte| if byte == 0xff { vec![0xff, 0] } else { vec![byte] };
            self.0.chunks(8).map(byte).flat_map(stuffed).collect()
        }
    }

    /// Blocks of one value each, 0 to 255. A code of four bits is the size of the difference to the block before, a zero
    /// bit the end of the block.
    fn scan(blocks: &[i32]) -> Vec<u8> {
        let (mut bits, mut before) = (Bits::default(), 0);
        for &value in blocks {
            let difference = value - 128 - before;
            before = value - 128;
            let size = 32 - difference.unsigned_abs().leading_zeros();
            bits.push(size, 4);
            let coded = if difference < 0 { difference + (1 << size) - 1 } else { difference };
            bits.push(coded as u32, size);
            bits.push(0, 1);
        }
        bits.bytes()
    }

    /// 32 x 32 pixels in blocks of 8 x 8, the left half darker, with the colours at half the resolution.
    fn jpeg(scans: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
        let segment = |marker: u8, content: &[u8]| {
            let length = (content.len() as u16 + 2).to_be_bytes();
            [&[0xff, marker], &length[..], content].concat()
        };
        let mut out = vec![0xff, 0xd8];
        out.extend(segment(0xdb, &[&[0][..], &[8; 64]].concat()));
        out.extend(segment(0xc0, &[8, 0, 32, 0, 32, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]));
        let mut table = vec![0x00];
        table.extend([0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        table.extend(0..12);
        out.extend(segment(0xc4, &table));
        out.extend(segment(0xc4, &[0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        for (components, data) in scans {
            let mut head = vec![components.len() as u8];
            components.iter().for_each(|&component| head.extend([component, 0]));
            head.extend([0, 63, 0]);
            out.extend(segment(0xda, &head));
            out.extend(data);
        }
        out.extend([0xff, 0xd9]);
        out
    }

    #[test]
    fn a_jpeg_of_one_scan_a_component_has_its_colours() {
        let gray = [60, 60, 180, 180].repeat(4);
        let scans = [(&[1][..], scan(&gray)), (&[2], scan(&[160; 4])), (&[3], scan(&[90; 4]))];
        let bytes = jpeg(&scans);
        assert!(is_misread(&bytes));
        let image = decode_image_bytes(&bytes).unwrap();
        assert_eq!(image.dimensions(), (32, 32));
        // ITU-R BT.601: red = y + 1.402 (cr - 128), and so on.
        for (x, expected) in [(3, [7, 76, 117]), (28, [127, 196, 237])] {
            for y in [2, 30] {
                let found = image.get_pixel(x, y).0;
                let near = found.iter().zip(expected).all(|(&a, b): (&u8, u8)| a.abs_diff(b) < 4);
                assert!(near, "({x}, {y}): {found:?}");
            }
        }
    }

    #[test]
    fn other_files_are_left_to_the_usual_decoder() {
        let whole = jpeg(&[(&[1, 2, 3], Vec::new())]);
        assert!(!is_misread(&whole));
        for bytes in [&b""[..], b"\xff\xd8", b"\xff\xd8\xff\xc0\0", b"\xff\xd8\xff\xda\0\0\0"] {
            assert!(!is_misread(bytes), "{bytes:?}");
        }
        for length in 0..whole.len() {
            assert!(!is_misread(&whole[..length]));
        }
    }
}
