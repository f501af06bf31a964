//! Faults of files that the decoders do not report.

use std::io;

use image::{
    ImageError, ImageFormat,
    error::{DecodingError, ImageFormatHint},
};

/// Refuses a truncated JPEG. The decoder would fill the missing part with gray, and an encoder would learn the gray.
///
/// # Errors
///
/// [`ImageError::IoError`] if `bytes` are the beginning of a JPEG.
pub(super) fn refuse_truncated_jpeg(bytes: &[u8]) -> Result<(), ImageError> {
    if !is_truncated_jpeg(bytes) {
        return Ok(());
    }
    let reason = "expected an end-of-image marker, found the end of the file";
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason).into())
}

/// Refuses a PNG with a broken palette, on which the decoder (`png` 0.18.1) panics.
///
/// # Errors
///
/// [`ImageError::Decoding`] if the length of the first palette is illegal.
pub(super) fn refuse_broken_png_palette(bytes: &[u8]) -> Result<(), ImageError> {
    let Some(length) = broken_png_palette(bytes) else { return Ok(()) };
    let reason = format!("expected a palette of 1 to 256 colours of 3 bytes, found {length} bytes");
    Err(ImageError::Decoding(DecodingError::new(ImageFormatHint::Exact(ImageFormat::Png), reason)))
}

/// Whether `bytes` begin like a JPEG and stop before its end (ITU-T T.81, annex B).
fn is_truncated_jpeg(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];
    let Some(mut rest) = bytes.strip_prefix(&[0xff, 0xd8]) else { return false };
    // Segment by segment up to the first scan, since a preview inside the metadata has an end of its own.
    while let [0xff, marker, high, low, ..] = *rest {
        if marker == 0xff {
            rest = &rest[1..];
            continue;
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(after) = rest.get(2 + length..) else { return true };
        rest = after;
        if marker == START_OF_SCAN {
            // Within a scan, only a zero or a restart marker follows 0xff.
            return !rest.windows(2).any(|pair| pair == END_OF_IMAGE);
        }
    }
    // Shorter than the head of a segment. The decoder finds all other faults.
    rest.len() < 4
}

/// The length of a PNG's first palette, if it is illegal (PNG specification, 11.2.2).
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
    use super::*;

    #[test]
    fn a_palette_without_whole_colours_is_refused() {
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
            let error = crate::decode_image_bytes(&png(&vec![7; length])).unwrap_err().to_string();
            assert!(error.ends_with(&format!("3 bytes, found {length} bytes")), "{error}");
        }
        assert_eq!(broken_png_palette(&png(&[7; 768])), None);
        assert_eq!(broken_png_palette(&png(&[7; 3])[..20]), None);
    }
}
