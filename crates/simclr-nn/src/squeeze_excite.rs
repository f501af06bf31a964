//! Squeeze and excitation.

use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, silu};

use crate::Conv2d;

/// `images`, each channel of each of them times a number in 0..1 that depends on the means of all of its channels:
/// sigmoid(expand(silu(reduce(means)))) (Hu et al. 2017).
///
/// On flex in f32 it is one operation, which sweeps over the images twice forwards and twice backwards, and computes the
/// gradients of the images in place of the output's.
///
/// # Shapes
///
/// - `images` and output: `[n, channels, height, width]`, in memory in the same order
/// - `reduce`: 1x1, from `channels` channels to any number
/// - `expand`: 1x1, back to `channels`
///
/// # Panics
///
/// If the layers' channels are not the images'.
///
/// ```
/// use burn::nn::conv::Conv2dConfig;
/// use burn::tensor::activation::{sigmoid, silu};
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_nn::{Conv2d, squeeze_excite};
///
/// let device = Device::flex();
/// let layer = |channels| Conv2d::from(Conv2dConfig::new(channels, [1, 1]).init(&device));
/// let (reduce, expand) = (layer([8, 2]), layer([2, 8]));
/// let x = Tensor::<4>::random([2, 8, 5, 5], Distribution::Default, &device);
/// let found = squeeze_excite(x.clone(), &reduce, &expand);
/// let means = x.clone().mean_dims(&[2, 3]);
/// let expected = x * sigmoid(expand.forward(silu(reduce.forward(means))));
/// assert!((found - expected).abs().max().into_scalar::<f32>() < 1e-5);
/// ```
#[must_use]
pub fn squeeze_excite(images: Tensor<4>, reduce: &Conv2d, expand: &Conv2d) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if let (Some(reduce), Some(expand)) = (parameters(reduce), parameters(expand))
        && crate::flex::supports_squeeze_excite(&images, &reduce, &expand)
    {
        return crate::flex::squeeze_excite(images, reduce, expand);
    }
    let squeezed = reduce.forward(images.clone().mean_dims(&[2, 3])); // [n, squeezed, 1, 1]
    images * sigmoid(expand.forward(silu(squeezed)))
}

/// Weights and bias of a 1x1 convolution that computes all outputs from all inputs.
#[cfg(feature = "flex")]
fn parameters(layer: &Conv2d) -> Option<(Tensor<4>, Tensor<1>)> {
    let plain = layer.kernel_size == [1, 1] && layer.stride == [1, 1] && layer.groups == 1;
    let padding = layer.padding.clone();
    let bias = layer.bias.as_ref().filter(|_| plain && is_empty(&padding))?;
    Some((layer.weight.val(), bias.val()))
}

/// Whether a 1x1 kernel is padded by nothing.
#[cfg(feature = "flex")]
fn is_empty(padding: &burn::nn::PaddingConfig2d) -> bool {
    use burn::nn::PaddingConfig2d::{Explicit, Same, Valid};
    matches!(padding, Valid | Same | Explicit(0, 0, 0, 0))
}
