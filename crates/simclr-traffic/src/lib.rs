#![doc = include_str!("../README.md")]

use std::ops::Sub;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use burn::tensor::kind::Basic;
use burn::tensor::{Tensor, TensorCreationOptions, TensorData, TensorReadError};

static SENDS: AtomicU64 = AtomicU64::new(0);
static SENT: AtomicU64 = AtomicU64::new(0);
static RECEIVES: AtomicU64 = AtomicU64::new(0);
static RECEIVED: AtomicU64 = AtomicU64::new(0);

/// What crossed between the host and its devices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Tensors sent to a device.
    pub sends: u64,
    /// Their bytes.
    pub sent: u64,
    /// Tensors read from a device, for each of which the host waits.
    pub receives: u64,
    /// Their bytes.
    pub received: u64,
}

impl Traffic {
    /// Since the process began, on all its threads.
    #[must_use]
    pub fn so_far() -> Self {
        Self {
            sends: SENDS.load(Relaxed),
            sent: SENT.load(Relaxed),
            receives: RECEIVES.load(Relaxed),
            received: RECEIVED.load(Relaxed),
        }
    }
}

impl Sub for Traffic {
    type Output = Self;

    /// What crossed after `earlier`.
    fn sub(self, earlier: Self) -> Self {
        Self {
            sends: self.sends - earlier.sends,
            sent: self.sent - earlier.sent,
            receives: self.receives - earlier.receives,
            received: self.received - earlier.received,
        }
    }
}

/// The tensor with these values: [`Tensor::from_data`], counted.
pub fn send<const D: usize, K: Basic>(
    values: TensorData,
    to: impl Into<TensorCreationOptions>,
) -> Tensor<D, K> {
    SENDS.fetch_add(1, Relaxed);
    SENT.fetch_add(values.as_bytes().len() as u64, Relaxed);
    Tensor::from_data(values, to)
}

/// The values of a tensor: [`Tensor::try_into_data`], counted.
///
/// # Errors
///
/// Burn's own, if the device failed.
pub fn receive<const D: usize, K: Basic>(
    tensor: Tensor<D, K>,
) -> Result<TensorData, TensorReadError> {
    let values = tensor.try_into_data()?;
    count_receive(values.as_bytes().len());
    Ok(values)
}

/// Counts a read of so many bytes that didn't go through [`receive`].
pub fn count_receive(bytes: usize) {
    RECEIVES.fetch_add(1, Relaxed);
    RECEIVED.fetch_add(bytes as u64, Relaxed);
}
