//! Max-pooling of images in either order in memory.

use burn::nn::pool::MaxPool2d;
use burn::tensor::Tensor;

/// `pool` applied to `images`.
///
/// On flex, images in channels-last order are pooled by a kernel of this crate, and the output is in that order, too. All
/// others are pooled by Burn's own.
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
    if let Some(options) = options(pool)
        && crate::flex::supports_max_pool2d(&images, options)
    {
        return crate::flex::max_pool2d(images, options);
    }
    pool.forward(images)
}

/// The options of `pool` for the kernels, if they have this kind of pooling.
#[cfg(feature = "flex")]
fn options(pool: &MaxPool2d) -> Option<crate::flex::PoolOptions> {
    use burn::nn::PaddingConfig2d;
    let padding = match pool.padding {
        PaddingConfig2d::Valid => [0, 0],
        PaddingConfig2d::Explicit(top, left, bottom, right) if top == bottom && left == right => {
            [top, left]
        }
        _ => return None,
    };
    let options =
        crate::flex::PoolOptions { kernel: pool.kernel_size, stride: pool.stride, padding };
    (!pool.ceil_mode && pool.dilation == [1, 1]).then_some(options)
}
