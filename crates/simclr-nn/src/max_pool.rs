//! Max-pooling in either order of memory.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::MaxPool2d;
use burn::tensor::Tensor;

/// What `pool` gives for `images`: on flex by a kernel of this crate if they lie in channels-last order,
/// which the output then does too, and otherwise by Burn's own.
///
/// # Shapes
///
/// - `images`: `[n, channels, height, width]`
/// - output: `[n, channels, height_out, width_out]`
///
/// ```
/// use burn::nn::pool::MaxPool2dConfig;
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_nn::{channels_last, max_pool2d};
///
/// let images = Tensor::<4>::random([2, 3, 8, 8], Distribution::Default, &Device::flex());
/// let pool = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).init();
/// let found = max_pool2d(&pool, channels_last(images.clone()));
/// found.into_data().assert_eq(&pool.forward(images).into_data(), true);
/// ```
#[must_use]
pub fn max_pool2d(pool: &MaxPool2d, images: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let Some(padding) = symmetric(&pool.padding)
        && !pool.ceil_mode
        && pool.dilation == [1, 1]
        && crate::flex::pools(&images, pool.kernel_size, pool.stride, padding)
    {
        use crate::flex::ConvNetBackend;
        let images = images.into_dispatch();
        return Tensor::from_dispatch(<burn::backend::Dispatch as ConvNetBackend>::largest(
            images,
            pool.kernel_size,
            pool.stride,
            padding,
        ));
    }
    pool.forward(images)
}

/// Rows above and below, columns left and right, if they are as many.
#[cfg(feature = "flex")]
fn symmetric(padding: &PaddingConfig2d) -> Option<[usize; 2]> {
    match *padding {
        PaddingConfig2d::Valid => Some([0, 0]),
        PaddingConfig2d::Explicit(top, left, bottom, right) if top == bottom && left == right => {
            Some([top, left])
        }
        _ => None,
    }
}
