//! Opens any bytes as a file of weights, of PyTorch or of safetensors, and loads it. The result is a network without NaN in its shape, or an error.

#![no_main]

use burn::tensor::Device;
use libfuzzer_sys::fuzz_target;
use simclr_fuzz::folder_with;
use simclr_model::{EncoderConfig, WeightFile};

fuzz_target!(|bytes: &[u8]| {
    let device = Device::flex();
    for name in ["a.pth", "a.safetensors"] {
        let folder = folder_with(&[(name, bytes)]);
        let Ok(weights) = WeightFile::open(folder.path().join(name)) else { continue };
        assert!(weights.tensors().len() <= bytes.len());
        let config: EncoderConfig = "mlp_i8_4".parse().expect("a name of a network");
        let _ = weights.load_module(config.init(0, &device).expect("a small network"));
    }
});
