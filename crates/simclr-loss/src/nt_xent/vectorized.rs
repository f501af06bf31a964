//! NT-Xent as one matrix product.

use burn::tensor::{Bool, Tensor};
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use crate::temperature::Temperature;
use crate::views::UnitViews;

/// NT-Xent computed from the whole 2n x 2n matrix of similarities at once.
///
/// It gives the same value and gradient as [`NaiveNtXent`](crate::NaiveNtXent), in a handful of tensor
/// operations, and holds a few 2n x 2n matrices: 4 n² x 4 bytes each, 16 MiB at n = 1024.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_loss::VectorizedNtXent;
///
/// let device = Device::flex();
/// let alike = Tensor::<2>::ones([4, 8], &device);
/// let loss = VectorizedNtXent::new(0.5)?.forward(alike.clone(), alike);
/// // The partner is one of 2n - 1 = 7 views that look the same.
/// assert!((loss.into_scalar::<f64>() - 7_f64.ln()).abs() < 1e-6);
/// # Ok::<(), simclr_loss::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VectorizedNtXent {
    temperature: Temperature,
}

impl VectorizedNtXent {
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
        mean_over_anchors(self.temperature, UnitViews::new(z_a, z_b))
    }
}

/// The mean over all 2n anchors of `ln(denominator) - s_ij`: `[n, d]` twice -> `[1]`.
pub(crate) fn mean_over_anchors(temperature: Temperature, views: UnitViews) -> Tensor<1> {
    let scale = 1.0 / temperature.get();

    // s_ij for every pair of the 2n rows.
    let z = views.concat(); // [2n, d]
    let logits = z.clone().matmul(z.transpose()).mul_scalar(scale); // [2n, 2n]
    let positives = (views.a * views.b).sum_dim(1).mul_scalar(scale); // [n, 1]

    // Each positive is the partner's logit of two anchors, hence mean over n, not over 2n.
    (log_denominators(logits, scale).mean() - positives.mean()).reshape([1])
}

/// `ln sum_{k != i} exp(logit_ik)` for each row i: `[2n, 2n]` -> `[2n, 1]`.
///
/// The self-pair is masked twice: before the maximum, so that a cosine of exactly 1 on the diagonal
/// doesn't push every other term below the smallest float at a low temperature; and after `exp`, so
/// that it is absent from the sum and, because a filled cell has no gradient, from the gradient too.
/// The fill is the smallest logit that can occur and not -inf: shader compilers may assume that there
/// are no infinities.
fn log_denominators(logits: Tensor<2>, scale: f64) -> Tensor<2> {
    let [rows, _] = logits.dims();
    let self_pairs = Tensor::<2, Bool>::diag_mask([rows, rows], 0, &logits.device()).bool_not();

    let logits = logits.mask_fill(self_pairs.clone(), -scale);
    let row_max = logits.clone().detach().max_dim(1); // [2n, 1]
    let terms = (logits - row_max.clone()).exp().mask_fill(self_pairs, 0.0);
    terms.sum_dim(1).log() + row_max
}
