//! The decoupled contrastive loss.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use crate::exclusions::{Exclusions, Partners};
use crate::nt_xent::tiled;
use crate::partner_ranks::partner_ranks;
use crate::temperature::Temperature;
use crate::two_view_loss::LossAndRanks;
use crate::views::{UnitViews, images};

/// NT-Xent whose denominator leaves the positive out (DCL,
/// [Yeh et al. 2022](https://arxiv.org/abs/2110.06848), equation 6).
///
/// ```text
/// l(i, j) = -s_ij + ln sum_{k != i, j} exp(s_ik)     j: the partner of anchor i
/// loss    = mean of l(i, j) over the 2n anchors
/// ```
///
/// In NT-Xent an easy positive shrinks the gradient of all negatives, most so in small batches; here
/// it doesn't. The loss may be negative, and has no lower bound that depends on n alone.
///
/// # Notes
///
/// - A single image has no negatives: its loss is 0, and so is the gradient.
/// - It works tile by tile, like [`TiledNtXent`](crate::TiledNtXent).
/// - It equals lightly's `DCLLoss` without weights.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_loss::DecoupledNtXent;
///
/// let alike = Tensor::<2>::ones([4, 8], &Device::flex());
/// let loss = DecoupledNtXent::new(0.5)?.forward(alike.clone(), alike);
/// // Each of the 2n - 2 = 6 negatives is as close as the partner.
/// assert!((loss.into_scalar::<f64>() - 6_f64.ln()).abs() < 1e-6);
/// # Ok::<(), simclr_loss::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DecoupledNtXent {
    temperature: Temperature,
}

impl DecoupledNtXent {
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

    /// The loss at chance level for n `images`: ln(2n - 2), or 0 for a single image, whatever the
    /// temperature. See [`NtXent::chance_loss`](crate::NtXent::chance_loss).
    #[must_use]
    pub fn chance_loss(images: usize) -> f64 {
        (2.0 * images as f64 - 2.0).max(1.0).ln()
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
        match negatives(&z_a, &z_b) {
            None => zero(z_a, z_b),
            Some(exclusions) => tiled::mean_over_anchors(self.temperature, [z_a, z_b], exclusions),
        }
    }

    /// [`forward`](Self::forward), and the [`partner_ranks`](crate::partner_ranks) of the same views.
    ///
    /// # Panics
    ///
    /// As [`forward`](Self::forward).
    #[must_use]
    pub fn forward_with_ranks(&self, z_a: Tensor<2>, z_b: Tensor<2>) -> LossAndRanks {
        match negatives(&z_a, &z_b) {
            None => {
                let ranks = partner_ranks(z_a.clone(), z_b.clone());
                LossAndRanks { loss: zero(z_a, z_b), ranks }
            }
            Some(exclusions) => tiled::mean_and_ranks(self.temperature, [z_a, z_b], exclusions),
        }
    }
}

/// What leaves the denominators, if there is a negative at all.
#[track_caller]
fn negatives(z_a: &Tensor<2>, z_b: &Tensor<2>) -> Option<Exclusions> {
    let n = images(z_a, z_b);
    (n > 1).then(|| Exclusions::of_distinct_images(n, 2, Partners::Leave))
}

/// Zero, but part of the graph, so that a training step still finds its gradients, all zero.
fn zero(z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
    let views = UnitViews::new(z_a, z_b);
    (views.a * views.b).sum().mul_scalar(0.0)
}
