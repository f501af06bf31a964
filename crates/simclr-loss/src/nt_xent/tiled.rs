//! NT-Xent tile by tile, in memory that grows with n instead of n².

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use crate::exclusions::{Exclusions, Partners};
use crate::log_denominators::Problem;
use crate::temperature::Temperature;
use crate::views::UnitViews;

/// NT-Xent that never holds the matrix of similarities.
///
/// It gives the same value and gradient as [`VectorizedNtXent`](crate::VectorizedNtXent), in O(n d)
/// memory plus a few tiles. The gradient is known in closed form: it is computed with the value if
/// autodiff tracks the projections, and the backward pass only scales it. As the matrix is symmetric,
/// half its tiles serve all rows.
///
/// On the flex backend, with the crate's `flex` feature and f32, the tiles stay in each core's cache.
/// On every backend the result is independent of the number of threads.
///
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_loss::{TiledNtXent, VectorizedNtXent};
///
/// let device = Device::flex();
/// let z_a = Tensor::<2>::random([300, 32], Distribution::Default, &device);
/// let z_b = Tensor::<2>::random([300, 32], Distribution::Default, &device);
///
/// let tiled = TiledNtXent::new(0.5)?.forward(z_a.clone(), z_b.clone()).into_scalar::<f64>();
/// let whole = VectorizedNtXent::new(0.5)?.forward(z_a, z_b).into_scalar::<f64>();
/// assert!((tiled / whole - 1.0).abs() < 1e-6);
/// # Ok::<(), simclr_loss::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TiledNtXent {
    temperature: Temperature,
}

impl TiledNtXent {
    /// A loss with the given temperature: a number, or a [`Temperature`], which is valid already.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] unless the temperature is finite and positive.
    pub fn new(
        temperature: impl TryInto<Temperature, Error: Into<OutOfRange>>,
    ) -> Result<Self, OutOfRange> {
        Ok(Self { temperature: Temperature::given(temperature)? })
    }

    /// The mean of l(i, j) over all 2n anchors. See [`NtXent::forward`](crate::NtXent::forward).
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
        let exclusions = Exclusions::of_distinct_images(n, 2, Partners::Stay);
        mean_over_anchors(self.temperature, views, exclusions)
    }
}

/// The mean over all 2n anchors of `ln(denominator) - s_ij`: `[n, d]` twice -> `[1]`.
pub(crate) fn mean_over_anchors(
    temperature: Temperature,
    views: UnitViews,
    exclusions: Exclusions,
) -> Tensor<1> {
    let [n, _] = views.a.dims();
    let mean = vec![1.0 / (2 * n) as f64; 2 * n];
    let log_denominators = Problem::new(temperature, mean, exclusions).weighted_sum(views.concat());

    // Each positive is the partner's similarity of two anchors, hence mean over n, not over 2n.
    let positives = (views.a * views.b).sum().div_scalar(n as f64 * temperature.get());
    log_denominators - positives
}
