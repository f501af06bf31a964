//! A convolution for inference, with the normalisation behind it folded in.

use burn::tensor::{DType, Device, Tensor};

use crate::activation::Activation;
use crate::batch_norm::BatchNorm;
use crate::conv2d::{Conv2d, Sizes, conv2d};

/// A convolution with the batch normalisation that follows it, as one convolution with other weights: for inference.
///
/// With its running statistics, batch normalisation multiplies each channel by a number and adds another. The products
/// become part of the weights and the sums the bias, once, when the layer is made. What follows (a residual sum, an
/// activation) is done while the outputs are in cache, and the weights stay in the order in which the kernels read them.
///
/// It is a value of its own, made from layers that go on as they were: it has no parameters, no file holds it, and no
/// gradient passes through it. The output differs from the layers' by rounding, some 1e-6 of the largest value.
///
/// ```
/// use burn::nn::{BatchNormConfig, conv::Conv2dConfig};
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_nn::{Activation, BatchNorm, Conv2d, FoldedConv2d};
///
/// let device = Device::flex();
/// let conv = Conv2d::from(Conv2dConfig::new([3, 16], [3, 3]).init(&device));
/// let norm = BatchNorm::from(BatchNormConfig::new(16).init(&device));
/// let folded = FoldedConv2d::new(&conv, &norm);
/// let images = Tensor::<4>::random([2, 3, 8, 8], Distribution::Default, &device);
/// let found = folded.forward(images.clone(), Activation::Relu);
/// let expected = norm.forward_relu(conv.forward(images));
/// assert!((found - expected).abs().max().into_scalar::<f32>() < 1e-5);
/// ```
#[derive(Debug, Clone)]
pub struct FoldedConv2d {
    weights: Weights,
    sizes: Sizes,
}

#[derive(Debug, Clone)]
enum Weights {
    /// What the kernels read.
    #[cfg(feature = "flex")]
    Packed(crate::flex::FoldedWeights),
    /// The weights and the bias.
    Tensors(Box<(Tensor<4>, Tensor<1>)>),
}

impl FoldedConv2d {
    /// Folds `norm`, with its running statistics, into `conv`.
    ///
    /// # Panics
    ///
    /// If `norm` has another number of channels than come out of `conv`.
    #[must_use]
    pub fn new(conv: &Conv2d, norm: &BatchNorm) -> Self {
        let weight = conv.weight.val().without_autodiff();
        let device = weight.device();
        let channels = weight.dims()[0];
        let [scale, shift] = norm.scale_and_shift().map(|values| values.to_device(&device));
        assert_eq!(scale.dims(), [channels], "expected a normalisation of {channels} channels");
        let bias = match &conv.bias {
            Some(bias) => shift + bias.val().without_autodiff() * scale.clone(),
            None => shift,
        };
        let weight = weight * scale.reshape([channels, 1, 1, 1]);
        Self { weights: Weights::new(weight, bias, conv), sizes: conv.sizes() }
    }

    /// Whether it pays to fold layers of this type on this device: f32 on flex, whose kernels have no time for a layer that
    /// only multiplies and adds. Elsewhere the layers themselves are as quick.
    #[must_use]
    pub fn pays(dtype: DType, device: &Device) -> bool {
        cfg!(feature = "flex") && dtype == DType::F32 && is_flex(device)
    }

    /// The activation of the normalised convolution of `images`.
    ///
    /// # Shapes
    ///
    /// - `images`: `[n, channels_in, height, width]`
    /// - output: `[n, channels_out, height_out, width_out]`, in memory in the same order as `images`
    ///
    /// # Panics
    ///
    /// Like [`Conv2d::forward`].
    #[must_use]
    pub fn forward(&self, images: Tensor<4>, activation: Activation) -> Tensor<4> {
        self.run(images, None, activation)
    }

    /// The activation of the normalised convolution of `images` plus `residual`.
    ///
    /// # Shapes
    ///
    /// - `images`: `[n, channels_in, height, width]`
    /// - `residual` and output: `[n, channels_out, height_out, width_out]`
    ///
    /// # Panics
    ///
    /// Like [`Conv2d::forward`], and if `residual` has another shape than the output.
    #[must_use]
    pub fn forward_add(
        &self,
        images: Tensor<4>,
        residual: Tensor<4>,
        activation: Activation,
    ) -> Tensor<4> {
        self.run(images, Some(residual.without_autodiff()), activation)
    }

    fn run(
        &self,
        images: Tensor<4>,
        residual: Option<Tensor<4>>,
        activation: Activation,
    ) -> Tensor<4> {
        let images = images.without_autodiff();
        let [_, _, height, width] = images.dims();
        let options = self.sizes.options([height, width]);
        match &self.weights {
            #[cfg(feature = "flex")]
            Weights::Packed(weights) => weights.convolve(images, residual, &options, activation),
            Weights::Tensors(tensors) => {
                let (weight, bias) = &**tensors;
                let output = conv2d(images, weight.clone(), Some(bias.clone()), options);
                match residual {
                    Some(residual) => activation.apply(output + residual),
                    None => activation.apply(output),
                }
            }
        }
    }
}

impl Weights {
    fn new(weight: Tensor<4>, bias: Tensor<1>, conv: &Conv2d) -> Self {
        #[cfg(feature = "flex")]
        if has_kernels(conv) && FoldedConv2d::pays(weight.dtype(), &weight.device()) {
            return Self::Packed(crate::flex::FoldedWeights::new(weight, bias, conv.groups));
        }
        Self::Tensors(Box::new((weight, bias)))
    }
}

/// Whether there are kernels for so many groups: one, or one for each channel.
#[cfg(feature = "flex")]
fn has_kernels(conv: &Conv2d) -> bool {
    let [channels_out, channels_of_group, _, _] = conv.weight.dims();
    let is_depthwise = (channels_of_group, channels_out) == (1, conv.groups);
    conv.groups == 1 || is_depthwise && conv.dilation == [1, 1]
}

fn is_flex(device: &Device) -> bool {
    #[cfg(feature = "flex")]
    return *device == Device::flex();
    #[cfg(not(feature = "flex"))]
    return false;
}
