//! The order in which images lie in memory.

use burn::tensor::Tensor;

/// The same images, laid out in memory with the channels of a pixel beside each other.
///
/// Nothing else changes: the shape stays `[n, c, h, w]`, and every operation gives the same result. On
/// flex, [`Conv2d`](crate::Conv2d) and [`BatchNorm`](crate::BatchNorm) work in this order, and give it to
/// what they return if they were given it; called once on a network's input, it saves two copies at every
/// layer. On other backends it does nothing, they have orders of their own.
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
    if crate::flex::takes(&images) {
        use crate::flex::ConvNetBackend;
        let moved =
            <burn::backend::Dispatch as ConvNetBackend>::to_channels_last(images.into_dispatch());
        return Tensor::from_dispatch(moved);
    }
    images
}
