//! GELU.

use burn::tensor::{Tensor, activation};

/// GELU: x times the probability that a standard normal number is smaller than x (Hendrycks and Gimpel 2016). On flex in
/// f32 by a kernel of this crate, whose error function is within 1e-7; else [`activation::gelu`].
///
/// # Shapes
///
/// - `x` and output: any
///
/// ```
/// use burn::tensor::activation;
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_nn::gelu;
///
/// let x = Tensor::<2>::random([3, 50], Distribution::Normal(0.0, 2.0), &Device::flex());
/// let apart = gelu(x.clone()) - activation::gelu(x);
/// assert!(apart.abs().max().into_scalar::<f32>() < 1e-6);
/// ```
#[must_use]
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if crate::flex::supports_gelu(&x) {
        return crate::flex::gelu(x);
    }
    activation::gelu(x)
}
