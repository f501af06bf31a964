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
