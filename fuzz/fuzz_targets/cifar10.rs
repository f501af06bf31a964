//! Opens any bytes as files of CIFAR-10, and reads them. The result is images with labels, or an error.
//!
//! The first two bytes are the length of the file of images; labels and names of classes follow.

#![no_main]

use libfuzzer_sys::fuzz_target;
use simclr_data::{Cifar10, Cifar10Split, Splits};
use simclr_fuzz::{folder_with, read};

/// Bytes of a label and an image.
const RECORD: usize = 1 + 3 * 32 * 32;

fuzz_target!(|bytes: &[u8]| {
    let Some((head, rest)) = bytes.split_at_checked(2) else { return };
    let length = usize::from(u16::from_le_bytes([head[0], head[1]]));
    let length = (length / 3 % 9 * RECORD + length % 3).saturating_sub(1);
    let mut images = vec![100; length];
    for (record, label) in images.chunks_mut(RECORD).zip(rest) {
        record[0] = *label;
    }
    let names = rest.get(8..).unwrap_or_default();
    let folder = folder_with(&[("data_batch_2.bin", &images[..]), ("batches.meta.txt", names)]);
    if let Ok(train) = Cifar10::open(folder.path(), Cifar10Split::Train) {
        read(&train);
    }
    if let Ok(splits) = Splits::open(folder.path()) {
        read(&*splits.pretrain);
    }
});
