//! The front door: NT-Xent in the form that suits the batch.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::temperature::TemperatureError;
use crate::vectorized::VectorizedNtXent;

/// The normalised, temperature-scaled cross-entropy loss of SimCLR (Chen et al. 2020, equation 1).
///
/// For n images in two views each, with z_i the projection of view i scaled to length one:
///
/// ```text
/// s_ij    = z_i . z_j / t                         similarity of two views, t = temperature
/// l(i, j) = -s_ij + ln sum_{k != i} exp(s_ik)     anchor i, its partner j, all 2n - 1 others k
/// loss    = mean of l(i, j) over the 2n anchors
/// ```
///
/// # Notes
///
/// - It is the **mean** over all 2n anchors, as in lightly, pytorch-metric-learning and
///   SupContrast. Google's code returns the sum of the two views' means: twice this value.
/// - A projection of zeros has similarity 0 to everything, and gets no gradient.
/// - f16 and bf16 projections are computed in f32, and the loss comes back in f32.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_loss::NtXent;
///
/// let device = Device::flex();
/// let z_a = Tensor::<2>::from_data([[1.0, 2.0], [3.0, -2.0], [1.0, 5.0]], &device);
/// let z_b = Tensor::<2>::from_data([[1.0, 0.75], [2.8, -1.75], [1.0, 4.7]], &device);
///
/// let loss = NtXent::new(0.5)?;
/// let close = loss.forward(z_a.clone(), z_b.clone()).into_scalar::<f64>();
/// let shuffled = loss.forward(z_a, z_b.flip([0])).into_scalar::<f64>();
/// assert!(close < shuffled, "true partners are more alike than wrong ones");
/// # Ok::<(), simclr_loss::TemperatureError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NtXent(VectorizedNtXent);

impl NtXent {
    /// A loss with the given temperature, which must be finite and positive.
    ///
    /// # Errors
    ///
    /// [`TemperatureError`], which names the value found.
    pub fn new(temperature: f64) -> Result<Self, TemperatureError> {
        VectorizedNtXent::new(temperature).map(Self)
    }

    /// The mean of l(i, j) over all 2n anchors.
    ///
    /// # Shapes
    ///
    /// - `z_a`, `z_b`: `[n, d]`, projections of the two views, of any length; row i of each comes
    ///   from image i
    /// - output: `[1]`
    ///
    /// # Panics
    ///
    /// If the shapes differ, or n or d is zero.
    #[must_use]
    pub fn forward(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
        self.0.forward(z_a, z_b)
    }
}
