//! Softmax.

use burn::tensor::{FloatDType, Tensor, activation};

/// Softmax of `x` over its last axis, in the type of `x`. Numbers of 16 bits are computed in f32, as in PyTorch's autocast.
/// On flex in f32 it is a kernel of this crate, else [`activation::softmax`].
///
/// # Shapes
///
/// - `x` and output: any
///
/// ```
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_nn::softmax;
///
/// let x = Tensor::<2>::random([3, 50], Distribution::Default, &Device::flex());
/// let sums = softmax(x).sum_dim(1);
/// assert!((sums - 1.0).abs().max().into_scalar::<f32>() < 1e-6);
/// ```
#[must_use]
pub fn softmax<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let dtype = x.dtype();
    if dtype.size() < 4 {
        return softmax(x.cast(FloatDType::F32)).cast(dtype);
    }
    #[cfg(feature = "flex")]
    if crate::flex::supports_softmax(&x) {
        return crate::flex::softmax(x);
    }
    activation::softmax(x, D - 1)
}
