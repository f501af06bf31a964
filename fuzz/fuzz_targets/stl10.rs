//! Opens any bytes as files of STL-10, and reads them. The result is images with labels, or an error.
//!
//! The first four bytes are the length of the images' file and that of the labels, of what follows.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_data::{Splits, Stl10, Stl10Split};
use simclr_fuzz::{folder_with, read};

/// Bytes of an image.
const IMAGE: usize = 3 * 96 * 96;

fuzz_target!(|bytes: &[u8]| {
    let Some((head, rest)) = bytes.split_at_checked(4) else { return };
    let [images, labels] =
        [0, 2].map(|at| usize::from(u16::from_le_bytes([head[at], head[at + 1]])));
    // Most lengths are those of some images and up to a byte more or less.
    let images = (images / 3 % 4 * IMAGE + images % 3).saturating_sub(1);
    let images: Vec<u8> = rest.iter().copied().chain(std::iter::repeat(7)).take(images).collect();
    let (labels, names) = rest.split_at(labels.min(rest.len()));
    let files = [("train_X.bin", &images[..]), ("train_y.bin", labels), ("class_names.txt", names)];
    let folder = folder_with(&files);
    if let Ok(train) = Stl10::open(folder.path(), Stl10Split::Train) {
        read(&train);
    }
    if let Ok(splits) = Splits::open(folder.path()) {
        read(&*splits.pretrain);
    }
});
