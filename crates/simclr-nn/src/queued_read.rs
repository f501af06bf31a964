//! A read that the device is asked for now, and the host waits for later.

use burn::tensor::{FloatDType, Tensor};
use simclr_traffic::receive;

/// Values on their way from the device.
///
/// A device does its work in the order in which it was asked for. `Tensor::to_data`, called after more work was queued, waits
/// for that work too. A `QueuedRead` asks for the copy at once, on CubeCL backends: whoever queues the next training step
/// before [`wait`](Self::wait) waits only for the step before. On other backends the copy is made while waiting.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_nn::QueuedRead;
///
/// let figures = QueuedRead::new(Tensor::<1>::from_floats([0.5, 2.0], &Device::flex()));
/// // ... queue the next step ...
/// assert_eq!(figures.wait(), [0.5, 2.0]);
/// ```
#[must_use = "the values are read by `wait`"]
pub struct QueuedRead(Values);

enum Values {
    /// On a backend that has computed them, or computes while the host waits.
    OnDevice(Box<Tensor<1>>),
    #[cfg(feature = "cube")]
    Queued(crate::cube::QueuedCopy),
}

impl QueuedRead {
    /// Asks for `values`, `[length]`, in f32.
    pub fn new(values: Tensor<1>) -> Self {
        let values = values.without_autodiff().cast(FloatDType::F32);
        #[cfg(feature = "cube")]
        if crate::cube::has_kernels(&values.device()) {
            return Self(Values::Queued(crate::cube::QueuedCopy::new(values)));
        }
        Self(Values::OnDevice(Box::new(values)))
    }

    /// Waits for the values.
    ///
    /// # Panics
    ///
    /// If the device failed, as Burn's own reads do.
    #[must_use]
    pub fn wait(self) -> Vec<f32> {
        match self.0 {
            Values::OnDevice(values) => {
                let values = receive(*values).expect("the device's values can be read");
                values.try_into_vec::<f32>().expect("values cast to f32")
            }
            #[cfg(feature = "cube")]
            Values::Queued(copy) => copy.wait(),
        }
    }
}
