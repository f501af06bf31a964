//! A sum in which each image of a batch has a factor.

use burn::tensor::Tensor;

/// `x + branch * factors`: a residual sum in which each image's branch has a factor, which has no gradient.
///
/// On flex in f32 it is one sweep over the images.
///
/// # Shapes
///
/// - `x`, `branch` and output: `[n, channels, height, width]`
/// - `factors`: `[n, 1]`
///
/// # Panics
///
/// If `branch` has another shape than `x`, or if there isn't a factor for each image.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_nn::add_scaled;
///
/// let device = Device::flex();
/// let (x, branch) = (Tensor::<4>::ones([2, 1, 1, 1], &device), Tensor::ones([2, 1, 1, 1], &device));
/// let sum = add_scaled(x, branch, Tensor::from_floats([[0.0], [2.0]], &device));
/// assert_eq!(sum.into_data().try_to_vec::<f32>().unwrap(), [1.0, 3.0]);
/// ```
#[must_use]
pub fn add_scaled(x: Tensor<4>, branch: Tensor<4>, factors: Tensor<2>) -> Tensor<4> {
    assert_eq!(branch.dims(), x.dims(), "expected a branch of the other summand's shape");
    assert_eq!(factors.dims(), [x.dims()[0], 1], "expected a factor for each image");
    let factors = factors.detach();
    #[cfg(feature = "flex")]
    if crate::flex::supports_add_scaled(&x, &branch, &factors) {
        return crate::flex::add_scaled(x, branch, factors);
    }
    branch.clone() * factors.unsqueeze_dims::<4>(&[2, 3]).cast(branch.dtype()) + x
}
