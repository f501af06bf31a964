//! The backends there are, and whether this machine has them.

use burn::tensor::Device;
use simclr::train::{TrainError, device_from_name};

/// What is compared, on one device. An error says what differs.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Device) -> Result<(), String>,
}

pub(crate) const NAMES: [&str; 4] = ["flex", "ndarray", "wgpu", "cuda"];

pub(crate) struct Backend {
    pub(crate) name: &'static str,
    pub(crate) device: Device,
}

impl Backend {
    /// Opens a backend's default device, or says why that failed.
    pub(crate) fn open(name: &'static str) -> Result<Self, String> {
        match device_from_name(name) {
            Ok(device) => Ok(Self { name, device }),
            Err(TrainError::Device { .. }) => Err("not built in".to_owned()),
            Err(_) => Err("no device".to_owned()),
        }
    }
}

/// The tolerance of values that f32 matrix products and convolutions go into: `tolerance`, which is f32's, or that of
/// TF32.
///
/// On CUDA devices that have it, autotune may take tensor cores for f32, whose factors have 10 bits of precision (`CubeK`
/// 0.3, `adjust_dtypes`); PyTorch's convolutions do so by default, too. A factor is wrong by up to 2^-11, and a sum of
/// many products by less; what follows may magnify it. Vulkan, Metal and WebGPU have no such type, and multiply in f32.
/// 16-bit cases have tolerances of their own: 2^-11 a value in f16, 2^-8 in bf16.
pub(crate) fn of_products(device: &Device, tolerance: f64) -> f64 {
    const TF32: f64 = 5e-3;
    let may_be_tf32 = format!("{device:?}").contains("Cuda");
    if may_be_tf32 { tolerance.max(TF32) } else { tolerance }
}

/// Fails with the first pair of numbers that are further apart than `tolerance` of the larger
/// expectation, or 1.
pub(crate) fn compare(
    what: &str,
    found: &[f64],
    expected: &[f64],
    tolerance: f64,
) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{what}: expected {} values, found {}", expected.len(), found.len()));
    }
    let scale = expected.iter().fold(1.0_f64, |scale, x| scale.max(x.abs()));
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let difference = (found - expected).abs();
        if difference.is_nan() || difference > tolerance * scale {
            return Err(format!("{what}[{index}]: expected {expected}, found {found}"));
        }
    }
    Ok(())
}
