//! Devices by name. No other file knows which backends were built in.

use burn::tensor::Device;

use crate::engine::opened_device::opened;
use crate::error::TrainError;

/// Opens a device by name:
///
/// | name | device |
/// |---|---|
/// | `flex` or `cpu`, `ndarray` | the CPU |
/// | `wgpu`, `vulkan`, `metal` | the best adapter found, a software one included |
/// | `wgpu:N`, `vulkan:N`, `metal:N` | discrete GPU number N, from 0 |
/// | `cuda`, `cuda:N` | the first GPU, GPU number N |
/// | `remote:ID@ADDRESS:PORT` | a device of another machine, by the name that its server prints |
///
/// Which names work depends on the Cargo features of the build. A remote device needs the server's token in the
/// environment variable `SIMCLR_REMOTE_TOKEN`.
///
/// One number is computed on a GPU, so that a missing one shows here and not at its first use. Panics of other threads
/// print no message meanwhile. The GPU's default types are then settled: Burn's `Device::configure` comes too late.
///
/// # Errors
///
/// [`TrainError::Device`] for an unknown name, an index of a device that has none, or a backend that was not built in;
/// it lists the names that work. [`TrainError::NoDevice`] if this machine has no such GPU, or no driver for it.
/// [`TrainError::RemoteDevice`] if a server cannot be reached, or refuses.
///
/// ```
/// use simclr_train::device_from_name;
///
/// assert!(device_from_name("flex").is_ok());
/// assert!(device_from_name("abacus").unwrap_err().to_string().contains("expected a device out of"));
/// ```
pub fn device_from_name(name: &str) -> Result<Device, TrainError> {
    let device = unopened(name)?;
    match name.split(':').next() {
        Some("wgpu" | "vulkan" | "metal" | "cuda") => opened(name, device),
        _ => Ok(device), // A CPU is there, and a server has answered.
    }
}

/// The device called `name`, which this machine may lack.
fn unopened(name: &str) -> Result<Device, TrainError> {
    let unknown = |hint: &str| TrainError::Device {
        found: name.to_owned(),
        known: BACKENDS.iter().filter(|b| b.1).map(|b| b.0).collect::<Vec<_>>().join(", "),
        hint: hint.to_owned(),
    };
    #[cfg(feature = "remote")]
    if let Some(place) = name.strip_prefix("remote:") {
        return crate::engine::remote::connect(place);
    }
    let (backend, index) = match name.split_once(':') {
        None => (name, None),
        Some(("remote", _)) => ("remote", None),
        Some((backend, index)) => {
            let index = index.parse::<usize>().map_err(|_| unknown(""))?;
            (backend, Some(index))
        }
    };
    match (backend, index) {
        #[cfg(feature = "flex")]
        ("flex" | "cpu", None) => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        #[expect(
            deprecated,
            reason = "Burn drops it after 0.22; the parity suite compares with it"
        )]
        ("ndarray", None) => Ok(Device::ndarray()),
        #[cfg(feature = "wgpu-unfused")]
        ("wgpu", index) => Ok(Device::wgpu(gpu(index))),
        #[cfg(feature = "vulkan")]
        ("vulkan", index) => Ok(Device::vulkan(gpu(index))),
        #[cfg(feature = "metal")]
        ("metal", index) => Ok(Device::metal(gpu(index))),
        #[cfg(feature = "cuda")]
        ("cuda", index) => Ok(Device::cuda(index.unwrap_or(0))),
        (backend, _) if BACKENDS.iter().any(|(name, built)| *name == backend && !built) => {
            Err(unknown(&format!("; build with `--features {backend}` for that one")))
        }
        _ => Err(unknown("")),
    }
}

/// The name by which [`device_from_name`] finds this device, for files and for people: `flex`, `wgpu:1`.
///
/// A device without such a name, one of another machine for example, is described in Burn's words.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_train::device_name;
///
/// assert_eq!(device_name(&Device::flex().autodiff()), "flex");
/// ```
#[must_use]
pub fn device_name(device: &Device) -> String {
    let device = device.clone().inner();
    let names = BACKENDS.iter().filter(|(name, built)| *built && *name != "remote").flat_map(
        |(name, _)| {
            let indexed = (0..MOST_GPUS).map(move |index| format!("{name}:{index}"));
            std::iter::once((*name).to_owned()).chain(indexed)
        },
    );
    let mut known = names.filter(|name| unopened(name).is_ok_and(|known| known == device));
    known.next().unwrap_or_else(|| format!("{device:?}"))
}

/// What the driver says about a device.
pub(crate) struct Identity {
    pub(crate) adapter: String,
    pub(crate) target: String,
    pub(crate) is_gpu: bool,
}

#[cfg(any(feature = "wgpu-unfused", feature = "vulkan", feature = "metal", feature = "cuda"))]
pub(crate) fn identity(device: &Device) -> Option<Identity> {
    let identity = device.identity()?;
    let is_gpu = identity.physical.is_some();
    Some(Identity { adapter: identity.name, target: identity.fingerprint, is_gpu })
}

#[cfg(not(any(
    feature = "wgpu-unfused",
    feature = "vulkan",
    feature = "metal",
    feature = "cuda"
)))]
pub(crate) fn identity(_: &Device) -> Option<Identity> {
    None
}

/// The number of GPUs of one machine that have a name.
const MOST_GPUS: usize = 64;

#[cfg(any(feature = "wgpu-unfused", feature = "vulkan", feature = "metal"))]
fn gpu(index: Option<usize>) -> burn::tensor::DeviceKind {
    index.map_or(burn::tensor::DeviceKind::DefaultDevice, burn::tensor::DeviceKind::DiscreteGpu)
}

/// Every backend, and whether this build has it.
const BACKENDS: [(&str, bool); 7] = [
    ("flex", cfg!(feature = "flex")),
    ("ndarray", cfg!(feature = "ndarray")),
    ("wgpu", cfg!(feature = "wgpu-unfused")),
    ("vulkan", cfg!(feature = "vulkan")),
    ("metal", cfg!(feature = "metal")),
    ("cuda", cfg!(feature = "cuda")),
    ("remote", cfg!(feature = "remote")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_on_the_cpu_or_one_that_is_no_number_is_refused() {
        for bad in ["flex:0", "wgpu:one", "cuda:-1", ":", ""] {
            assert!(matches!(device_from_name(bad), Err(TrainError::Device { .. })), "{bad}");
        }
    }

    #[test]
    #[cfg(not(feature = "cuda"))]
    fn a_backend_that_was_not_built_in_says_how_to_get_it() {
        let message = device_from_name("cuda").unwrap_err().to_string();
        assert!(message.contains("--features cuda"), "{message}");
    }
}
