//! The decoupled contrastive loss.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::exclusions::{Exclusions, Partners};
use crate::temperature::{Temperature, TemperatureError};
use crate::tiled;
use crate::views::UnitViews;

/// NT-Xent whose denominator leaves the positive out (DCL,
/// [Yeh et al. 2022](https://arxiv.org/abs/2110.06848), equation 6).
///
/// ```text
/// l(i, j) = -s_ij + ln sum_{k != i, j} exp(s_ik)     j: the partner of anchor i
/// loss    = mean of l(i, j) over the 2n anchors
/// ```
///
/// In NT-Xent an easy positive shrinks the pull of all negatives, most so in small batches; here it
/// doesn't. The loss may be negative, and has no lower bound that depends on n alone.
///
/// # Notes
///
/// - One image alone has no negatives: the loss is 0, and so is the gradient.
/// - It is computed tile by tile, as in [`TiledNtXent`](crate::TiledNtXent).
/// - The same as lightly's `DCLLoss` without weights.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_loss::DecoupledNtXent;
///
/// let same = Tensor::<2>::ones([4, 8], &Device::flex());
/// let loss = DecoupledNtXent::new(0.5)?.forward(same.clone(), same);
/// // All embeddings alike: every one of the 2n - 2 = 6 negatives is as close as the partner.
/// assert!((loss.into_scalar::<f64>() - 6_f64.ln()).abs() < 1e-6);
/// # Ok::<(), simclr_loss::TemperatureError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DecoupledNtXent {
    temperature: Temperature,
}

impl DecoupledNtXent {
    /// A loss with the given temperature.
    ///
    /// # Errors
    ///
    /// [`TemperatureError`] unless the temperature is finite and positive.
    pub fn new(temperature: f64) -> Result<Self, TemperatureError> {
        Ok(Self { temperature: Temperature::new(temperature)? })
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
        let views = UnitViews::new(z_a, z_b);
        let [n, _] = views.a.dims();
        if n == 1 {
            // Zero, but in the graph: a training step still finds gradients, all zero.
            return (views.a * views.b).sum().mul_scalar(0.0);
        }
        let exclusions = Exclusions::of_distinct_images(n, 2, Partners::Leave);
        tiled::mean_over_anchors(self.temperature, views, exclusions)
    }
}
