//! Any bytes as an image file: pixels or an error, within the limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_data::decode_image_bytes;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = decode_image_bytes(bytes) {
        assert!((1..=20_000).contains(&image.width()) && (1..=20_000).contains(&image.height()));
    }
});
