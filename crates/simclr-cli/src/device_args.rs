//! `--device`: where to compute.

use anyhow::{Context, Result};
use clap::Args;
use simclr::burn::tensor::Device;
use simclr::train::{device_from_name, device_name};

/// The device unless one is named: the CPU.
const DEFAULT: &str = "flex";

/// For commands that use one device.
#[derive(Args)]
pub(crate) struct DeviceArgs {
    /// Where the encoder runs: flex (the CPU), ndarray, wgpu, wgpu:N, vulkan, metal, cuda:N, as far as
    /// they are built in
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    device: String,
}

impl DeviceArgs {
    pub(crate) fn name(&self) -> &str {
        &self.device
    }

    pub(crate) fn open(&self) -> Result<Device> {
        Ok(device_from_name(&self.device)?)
    }
}

/// For commands that embed images.
#[derive(Args)]
pub(crate) struct EncoderDeviceArgs {
    /// Where the encoder runs: flex (the CPU), ndarray, wgpu, wgpu:N, vulkan, metal, cuda:N, as far as they are built in;
    /// several, with commas, share the images
    #[arg(long, value_name = "NAME", default_value = DEFAULT)]
    device: String,
}

impl EncoderDeviceArgs {
    pub(crate) fn open(&self) -> Result<Devices> {
        Devices::open(&self.device)
    }
}

/// For commands that train.
#[derive(Args)]
pub(crate) struct TrainingDeviceArgs {
    /// Where to train: flex (the CPU), ndarray, wgpu, wgpu:N, vulkan, metal, cuda:N,
    /// remote:ID@ADDRESS:PORT, as far as they are built in; several, with commas, share each batch
    /// [default: flex]
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
}

/// Devices that share the work.
pub(crate) struct Devices {
    pub(crate) first: Device,
    pub(crate) more: Vec<Device>,
}

impl TrainingDeviceArgs {
    /// The named devices, or else those that a config file names.
    pub(crate) fn open(&self, in_file: Option<&str>) -> Result<Devices> {
        Devices::open(self.device.as_deref().or(in_file).unwrap_or(DEFAULT))
    }
}

impl Devices {
    /// The devices of these names, with commas.
    fn open(names: &str) -> Result<Self> {
        let devices = names.split(',').map(device_from_name).collect::<Result<Vec<_>, _>>()?;
        let (first, more) = devices.split_first().context("expected a device")?;
        Ok(Self { first: first.clone(), more: more.to_vec() })
    }

    /// Their names, for people.
    pub(crate) fn names(&self) -> String {
        let devices = std::iter::once(&self.first).chain(&self.more);
        devices.map(device_name).collect::<Vec<_>>().join(", ")
    }
}
