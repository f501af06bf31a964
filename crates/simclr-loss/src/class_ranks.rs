//! How well the projections tell classes apart.

use burn::tensor::Tensor;

use crate::ranks::{Sought, ranks_of_views};
use crate::views::images;

/// For each view, how many views of other classes are nearer to it than the nearest other view of its own class.
///
/// A rank of 0 means that the nearest of all 2n - 1 other views is of its class. With one class per image it is
/// [`partner_ranks`](crate::partner_ranks): use it beside [`SupCon`](crate::SupCon), where another image of the class is as right an
/// answer as the partner. Ties count for the class, and no gradient is tracked.
///
/// # Shapes
///
/// - `z_a`, `z_b`: `[n, d]`, projections of the two views, of any length; row i of each comes from
///   image i
/// - `labels`: n, the class of each image; any numbers
/// - output: `[2n]`, whole numbers in 0..=2n - 2; the anchors of view a, then those of view b
///
/// # Panics
///
/// If the shapes differ, n or d is zero, or there isn't one label per image.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_loss::{class_ranks, partner_ranks};
///
/// let device = Device::flex();
/// let z_a = Tensor::<2>::from_data([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], &device);
/// let z_b = Tensor::<2>::from_data([[0.9, 0.1], [1.0, 0.0], [0.1, 1.0]], &device);
/// let of_partners = partner_ranks(z_a.clone(), z_b.clone()).sum().into_scalar::<f64>();
/// assert!(of_partners > 0.0); // Images 0 and 1 are taken for each other,
/// let of_classes = class_ranks(z_a, z_b, &[4, 4, 9]).sum().into_scalar::<f64>();
/// assert_eq!(of_classes, 0.0); // which are of one class.
/// ```
#[must_use]
pub fn class_ranks(z_a: Tensor<2>, z_b: Tensor<2>, labels: &[usize]) -> Tensor<1> {
    let n = images(&z_a, &z_b);
    assert_eq!(
        labels.len(),
        n,
        "expected one label for each of {n} images, found {}",
        labels.len()
    );
    ranks_of_views(z_a, z_b, &Sought::class(labels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partner_ranks::partner_ranks;
    use burn::tensor::{Device, Distribution};

    fn values(ranks: &Tensor<1>) -> Vec<f64> {
        ranks.to_data_as::<f64>().iter().collect()
    }

    #[test]
    fn with_one_class_per_image_they_are_the_partner_ranks() {
        let device = Device::flex();
        let random = || Tensor::<2>::random([20, 3], Distribution::Normal(0.0, 1.0), &device);
        let (z_a, z_b) = (random(), random());
        let labels: Vec<usize> = (0..20).rev().collect();
        let of_classes = values(&class_ranks(z_a.clone(), z_b.clone(), &labels));
        assert_eq!(of_classes, values(&partner_ranks(z_a, z_b)));
    }

    #[test]
    #[should_panic(expected = "expected one label for each of 2 images, found 1")]
    fn a_wrong_number_of_labels_is_refused_with_both_numbers() {
        let z = Tensor::<2>::ones([2, 3], &Device::flex());
        let _ = class_ranks(z.clone(), z, &[0]);
    }
}
