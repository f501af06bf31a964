//! Opens a folder of images by any bytes as its index file. The result is images, an error, or a listing of the folder with a warning.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_data::{Opening, Splits, WholeSet};
use simclr_fuzz::{bitmap, folder_with, read, with_index_checksum};

fuzz_target!(|bytes: &[u8]| {
    let mut index = bytes.to_vec();
    with_index_checksum(&mut index);
    let [a, b] = [1, 2].map(bitmap);
    let folder = folder_with(&[
        ("photos/cat/1.bmp", &a[..]),
        ("photos/dog/1.bmp", &b[..]),
        ("data.index", &index[..]),
    ]);
    let photos = folder.path().join("photos");
    let opening = Opening { index: Some(folder.path().join("data.index")), ..Opening::default() };
    if let Ok(splits) = Splits::open_with(&photos, &opening) {
        read(&*splits.pretrain);
    }
    if let Ok(whole) = WholeSet::open_with(&photos, &opening) {
        read(&whole);
    }
});
