//! What a device is.

use burn::tensor::{Device, FloatDType};
use serde::Serialize;

use crate::engine::device::{device_name, identity};

/// What a device is, and which numbers it computes with.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_train::DeviceDescription;
///
/// let cpu = DeviceDescription::of(&Device::flex());
/// assert_eq!(cpu.name, "flex");
/// assert!(!cpu.is_gpu && cpu.adapter.is_none());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DeviceDescription {
    /// The name that [`device_from_name`](crate::device_from_name) takes.
    pub name: String,
    /// What the adapter calls itself, such as `NVIDIA H100 PCIe`; `None` on the CPU and on other machines.
    pub adapter: Option<String>,
    /// What kernels are compiled for, in CubeCL's words.
    pub target: Option<String>,
    /// Whether it is a GPU of this machine, as far as its driver says: a software driver is none.
    pub is_gpu: bool,
    /// Whether it computes in [`Precision::Bf16`](crate::Precision::Bf16).
    pub bf16: bool,
    /// Whether it computes in [`Precision::F16`](crate::Precision::F16).
    pub f16: bool,
}

impl DeviceDescription {
    /// Describes `device`, which must be there: as [`device_from_name`](crate::device_from_name) returns it.
    #[must_use]
    pub fn of(device: &Device) -> Self {
        let identity = identity(device);
        Self {
            name: device_name(device),
            is_gpu: identity.as_ref().is_some_and(|identity| identity.is_gpu),
            adapter: identity.as_ref().map(|identity| identity.adapter.clone()),
            target: identity.map(|identity| identity.target),
            bf16: device.supports_dtype(FloatDType::BF16),
            f16: device.supports_dtype(FloatDType::F16),
        }
    }
}
