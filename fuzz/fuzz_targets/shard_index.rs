//! Opens a shard by any bytes as its index file. The result is images, an error, or the shard's own listing with a warning.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_data::{Opening, Shards};
use simclr_fuzz::{folder_with, read, set_time, shard, with_index_checksum};

fuzz_target!(|bytes: &[u8]| {
    let mut index = bytes.to_vec();
    with_index_checksum(&mut index);
    let folder = folder_with(&[("a.tar", &shard()[..]), ("data.index", &index[..])]);
    let path = folder.path().join("a.tar");
    set_time(&path);
    let opening = Opening { index: Some(folder.path().join("data.index")), ..Opening::default() };
    if let Ok(shards) = Shards::open_with(&path, &opening) {
        read(&shards);
    }
});
