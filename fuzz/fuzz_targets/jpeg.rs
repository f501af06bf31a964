//! Decodes any bytes by our own JPEG decoder: any part, at any resolution. The result is the part or nothing.
//!
//! Seeds: `cargo run --bin seeds -- corpus` in `fuzz/`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_data::{ImagePart, Resolution, decode_jpeg_part};

/// Bytes before the file: a rectangle and a resolution.
const HEAD: usize = 9;

fuzz_target!(|bytes: &[u8]| {
    let Some((head, file)) = bytes.split_at_checked(HEAD) else { return };
    let side = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]));
    let all = [Resolution::Full, Resolution::Half, Resolution::Quarter, Resolution::Eighth];
    let resolution = all[usize::from(head[8] % 4)];
    let part = ImagePart { x: side(0), y: side(2), width: side(4), height: side(6), resolution };
    if let Some((decoded, inside)) = decode_jpeg_part(file, part) {
        let [x, y, width, height] = decoded.place(part.x, part.y, part.width, part.height);
        let (columns, rows) = decoded.pixels().dimensions();
        assert!(columns > 0 && rows > 0);
        assert!(!inside || x + width <= columns && y + height <= rows);
    }
});
