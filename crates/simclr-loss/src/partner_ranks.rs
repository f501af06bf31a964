//! How well the projections tell partners from strangers.

use burn::tensor::Tensor;

use crate::ranks::{Sought, ranks_of_views};
use crate::views::images;

/// For each view, how many other views are nearer to it than its partner.
///
/// A rank of 0 means that the partner is the nearest of all 2n - 1. The share of those is the
/// contrastive top-1 accuracy, the share of ranks below 5 is top-5 (google-research/simclr logs the
/// former as `contrast_acc`). Ties count for the partner, and no gradient is tracked.
///
/// # Shapes
///
/// - `z_a`, `z_b`: `[n, d]`, projections of the two views, of any length; row i of each comes from
///   image i
/// - output: `[2n]`, whole numbers in 0..=2n - 2; the anchors of view a, then those of view b
///
/// # Panics
///
/// If the shapes differ, or n or d is zero.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_loss::partner_ranks;
///
/// let device = Device::flex();
/// let z_a = Tensor::<2>::from_data([[1.0, 0.0], [0.0, 1.0]], &device);
/// let z_b = Tensor::<2>::from_data([[0.9, 0.1], [0.9, 0.2]], &device); // The second is astray.
/// let ranks: Vec<f64> = partner_ranks(z_a, z_b).to_data_as::<f64>().iter().collect();
/// assert_eq!(ranks, [0.0, 0.0, 1.0, 2.0]);
/// ```
#[must_use]
pub fn partner_ranks(z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
    images(&z_a, &z_b);
    ranks_of_views(z_a, z_b, &Sought::Partner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn partners_that_are_alike_are_nearest_and_one_image_has_rank_0() {
        let device = Device::flex();
        let z = Tensor::<2>::random([9, 4], Distribution::Normal(0.0, 1.0), &device);
        assert!(partner_ranks(z.clone(), z.clone()).sum().into_scalar::<f64>().abs() < 1e-9);
        let one = z.slice([..1]);
        assert_eq!(partner_ranks(one.clone(), one * -1.0).dims(), [2]);
    }
}
