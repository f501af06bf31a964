//! Goes on with any bytes as a packed file that another process has begun. The result is the whole file, or an error.

#![no_main]

use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use simclr_data::{PackConfig, PackFormat, WholeSet, pack};
use simclr_fuzz::{bitmap, folder_with, read};

fuzz_target!(|bytes: &[u8]| {
    let [a, b] = [1, 2].map(bitmap);
    let folder = folder_with(&[
        ("photos/cat/1.bmp", &a[..]),
        ("photos/dog/1.bmp", &b[..]),
        ("out.tar.part", bytes),
    ]);
    let photos = WholeSet::open(folder.path().join("photos")).expect("two photos");
    let out = folder.path().join("out.tar");
    let config = PackConfig { resume: true, ..PackConfig::new(PackFormat::Raw) };
    if let Ok(packed) = pack(&photos, &out, &config, |_| ControlFlow::Continue(())) {
        assert_eq!(packed.images, 2);
        let whole = WholeSet::open(&out).expect("a file that was packed");
        read(&whole);
    }
});
