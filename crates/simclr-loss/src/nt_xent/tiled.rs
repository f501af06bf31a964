//! NT-Xent tile by tile, in memory that grows with n instead of n².

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use crate::exclusions::{Exclusions, Partners};
use crate::log_denominators::Problem;
use crate::one_sweep;
use crate::ranks::Sought;
use crate::temperature::Temperature;
use crate::two_view_loss::LossAndRanks;
use crate::views::{UnitViews, images};

/// NT-Xent that never holds the matrix of similarities.
///
/// It gives the same value and gradient as [`VectorizedNtXent`](crate::VectorizedNtXent), in O(n d)
/// memory plus a few tiles. The gradient is known in closed form: it is computed with the value if
/// autodiff tracks the projections, and the backward pass only scales it.
///
/// On the flex backend, with the crate's `flex` feature and f32, the tiles stay in each core's cache, and as the matrix is
/// symmetric, half of them serve all rows. On GPUs, with the feature `cube` and f32, it sweeps once over blocks of rows, of
/// 128 MiB at most. Elsewhere the same sweep is tensor operations on blocks of 32 MiB. On every backend the result is
/// independent of the number of threads.
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
        Temperature::given(temperature).map(Self::with)
    }

    pub(crate) fn with(temperature: Temperature) -> Self {
        Self { temperature }
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
        let exclusions = distinct(&z_a, &z_b);
        mean_over_anchors(self.temperature, [z_a, z_b], exclusions)
    }

    /// [`forward`](Self::forward), and the [`partner_ranks`](crate::partner_ranks) of the same views.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[must_use]
    pub fn forward_with_ranks(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> LossAndRanks {
        let exclusions = distinct(&z_a, &z_b);
        mean_and_ranks(self.temperature, [z_a, z_b], exclusions)
    }
}

/// The views show different images: only the anchor leaves its denominator.
#[track_caller]
fn distinct(z_a: &Tensor<2>, z_b: &Tensor<2>) -> Exclusions {
    Exclusions::of_distinct_images(images(z_a, z_b), 2, Partners::Stay)
}

/// The mean over all 2n anchors of `ln(denominator) - s_ij`: `[n, d]` twice, of any length -> `[1]`.
pub(crate) fn mean_over_anchors(
    temperature: Temperature,
    views: [Tensor<2>; 2],
    exclusions: Exclusions,
) -> Tensor<1> {
    let problem = problem(temperature, exclusions);
    if let Some(found) = one_sweep::loss_and_ranks(&problem, &views, &Sought::Partner) {
        return found.loss;
    }
    let [z_a, z_b] = views;
    let views = UnitViews::new(z_a, z_b);
    problem.weighted_sum(views.concat()) - positives(temperature, views)
}

/// [`mean_over_anchors`], and the ranks of the partners.
pub(crate) fn mean_and_ranks(
    temperature: Temperature,
    views: [Tensor<2>; 2],
    exclusions: Exclusions,
) -> LossAndRanks {
    let problem = problem(temperature, exclusions);
    if let Some(found) = one_sweep::loss_and_ranks(&problem, &views, &Sought::Partner) {
        return found;
    }
    let [z_a, z_b] = views;
    let views = UnitViews::new(z_a, z_b);
    let (log_denominators, ranks) =
        problem.weighted_sum_and_ranks(views.concat(), &Sought::Partner);
    LossAndRanks { loss: log_denominators - positives(temperature, views), ranks }
}

/// The mean over all anchors of the logarithms of their denominators.
fn problem(temperature: Temperature, exclusions: Exclusions) -> Problem {
    let anchors = exclusions.rows();
    Problem::new(temperature, vec![1.0 / anchors as f64; anchors], exclusions)
}

/// The mean similarity of partners.
fn positives(temperature: Temperature, views: UnitViews) -> Tensor<1> {
    let [n, _] = views.a.dims();
    // Each positive is the partner's similarity of two anchors, hence mean over n, not over 2n.
    (views.a * views.b).sum().div_scalar(n as f64 * temperature.get())
}
