//! Decodes any bytes as an image file. The result is an image within the limits, or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_data::decode_image_bytes;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = decode_image_bytes(bytes) {
        assert!((1..=20_000).contains(&image.width()) && (1..=20_000).contains(&image.height()));
    }
});
