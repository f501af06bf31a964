//! The order in which images lie in memory.

use burn::tensor::Tensor;

/// The same images, laid out in memory with the channels of a pixel next to each other.
///
/// Nothing else changes: the shape stays `[n, c, h, w]`, and every operation gives the same result. On flex,
/// [`Conv2d`](crate::Conv2d) and [`BatchNorm`](crate::BatchNorm) compute in this order, and return their output in the
/// order of their input. Called once on a network's input, this function therefore saves two copies at every layer. On
/// other backends, which have orders of their own, it does nothing.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_nn::channels_last;
///
/// let images = Tensor::<4>::from_floats([[[[1.0, 2.0]], [[3.0, 4.0]]]], &Device::flex());
/// let same = channels_last(images.clone());
/// assert_eq!(same.dims(), [1, 2, 1, 2]);
/// same.into_data().assert_eq(&images.into_data(), true);
/// ```
#[must_use]
pub fn channels_last(images: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::flex::supports_channels_last(&images) {
        return crate::flex::channels_last(images);
    }
    images
}
