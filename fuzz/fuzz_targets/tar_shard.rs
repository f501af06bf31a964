//! Opens any bytes as a shard, a tar archive of images, and reads it. The result is images with labels, or an error.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_data::{Shards, WholeSet};
use simclr_fuzz::{folder_with, read};

fuzz_target!(|bytes: &[u8]| {
    let folder = folder_with(&[("a.tar", bytes)]);
    let path = folder.path().join("a.tar");
    if let Ok(shards) = Shards::open(&path) {
        let _ = shards.warnings();
        read(&shards);
    }
    if let Ok(whole) = WholeSet::open(&path) {
        read(&whole);
    }
});
