//! Opens any bytes as a Parquet file of images and reads them, with and without its page index. The result is images or errors.
//!
//! Seeds: `cargo run --bin seeds -- corpus` in `fuzz/`, and `crates/simclr-data/tests/golden/*.parquet`.

#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use simclr_data::{ImageDataset, Opening, ParquetImages};

// The crate `parquet` panics at some pages, and the reader catches it: a panic that nobody catches still ends the process.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| ())), |bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new_in("/dev/shm").expect("a file in memory");
    file.write_all(bytes).expect("a file in memory");
    for in_order in [false, true] {
        let opening = Opening { in_order, ..Opening::default() };
        let Ok(images) = ParquetImages::open(file.path(), &opening) else { continue };
        for index in 0..images.len().min(20) {
            let _ = (images.image(index), images.label(index), images.stored_size(index));
        }
    }
});
