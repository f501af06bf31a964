//! Opens any bytes as a classifier. The result is a classifier, or an error.

#![no_main]

use burn::tensor::Device;
use libfuzzer_sys::fuzz_target;
use simclr_eval::Classifier;
use simclr_fuzz::folder_with;

fuzz_target!(|bytes: &[u8]| {
    let folder = folder_with(&[("classifier.safetensors", bytes)]);
    let _ = Classifier::open(folder.path().join("classifier.safetensors"), &Device::flex());
});
