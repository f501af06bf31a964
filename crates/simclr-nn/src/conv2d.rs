//! A convolution with the parameters of Burn's own.

use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param};
use burn::nn::PaddingConfig2d;
use burn::nn::conv;
use burn::tensor::Tensor;
use burn::tensor::ops::ConvOptions;

/// A 2D convolution: [`burn::nn::conv::Conv2d`], but faster on flex.
///
/// It has the same parameters under the same names, so that records and weight files of one fit the other. It is made
/// from Burn's own:
///
/// ```
/// use burn::nn::conv::Conv2dConfig;
/// use burn::tensor::{Device, Distribution, Tensor};
/// use simclr_nn::Conv2d;
///
/// let device = Device::flex();
/// let burns = Conv2dConfig::new([3, 16], [3, 3]).init(&device);
/// let ours = Conv2d::from(burns.clone());
/// let images = Tensor::random([2, 3, 8, 8], Distribution::Default, &device);
/// let (found, expected) = (ours.forward(images.clone()), burns.forward(images));
/// assert!((found - expected).abs().max().into_scalar::<f32>() < 1e-5);
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct Conv2d {
    /// `[channels_out, channels_in / groups, kernel_height, kernel_width]`.
    pub weight: Param<Tensor<4>>,
    /// `[channels_out]`.
    pub bias: Option<Param<Tensor<1>>>,
    /// Pixels from one output to the next, down and across.
    pub stride: [usize; 2],
    /// Height and width of the kernel.
    pub kernel_size: [usize; 2],
    /// Pixels from one kernel element to the next, down and across.
    pub dilation: [usize; 2],
    /// The number of separate convolutions that the channels are split into.
    pub groups: usize,
    /// Zeros around the images.
    #[module(skip)]
    pub padding: PaddingConfig2d,
}

impl From<conv::Conv2d> for Conv2d {
    fn from(conv: conv::Conv2d) -> Self {
        let conv::Conv2d { weight, bias, stride, kernel_size, dilation, groups, padding } = conv;
        Self { weight, bias, stride, kernel_size, dilation, groups, padding }
    }
}

impl Conv2d {
    /// Convolves `images`.
    ///
    /// # Shapes
    ///
    /// - `images`: `[n, channels_in, height, width]`
    /// - output: `[n, channels_out, height_out, width_out]`, in memory in the same order as `images`
    ///
    /// # Panics
    ///
    /// Like Burn's own: if the images' channels are not the weights'.
    #[must_use]
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [_, _, height, width] = images.dims();
        let options = self.sizes().options([height, width]);
        conv2d(images, self.weight.val(), self.bias.as_ref().map(Param::val), options)
    }

    pub(crate) fn sizes(&self) -> Sizes {
        Sizes {
            stride: self.stride,
            kernel: self.kernel_size,
            dilation: self.dilation,
            groups: self.groups,
            padding: self.padding.clone(),
        }
    }
}

/// What a convolution depends on besides its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Sizes {
    stride: [usize; 2],
    kernel: [usize; 2],
    dilation: [usize; 2],
    groups: usize,
    padding: PaddingConfig2d,
}

impl Sizes {
    /// The options for images of this height and width.
    pub(crate) fn options(&self, [height, width]: [usize; 2]) -> ConvOptions<2> {
        let padding = match self.padding {
            PaddingConfig2d::Valid => [(0, 0), (0, 0)],
            PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
            PaddingConfig2d::Same => [(0, height), (1, width)]
                .map(|(axis, size)| same_padding(size, self.kernel[axis], self.stride[axis])),
        };
        ConvOptions::new_with_padding(self.stride, padding, self.dilation, self.groups)
    }
}

/// The zeros before and after `size` pixels that give one output for each stride. Like Burn's, an odd one comes after.
fn same_padding(size: usize, kernel: usize, stride: usize) -> (usize, usize) {
    let outputs = size.div_ceil(stride);
    let padding = (outputs.saturating_sub(1) * stride + kernel).saturating_sub(size);
    if outputs == 0 { (0, 0) } else { (padding / 2, padding - padding / 2) }
}

/// [`burn::tensor::module::conv2d`], by the kernels of this crate on flex in f32 with one group. In 16 bits on CubeCL
/// backends, the weights' gradient is summed in 32.
///
/// # Shapes
///
/// - `images`: `[n, channels_in, height, width]`
/// - `weight`: `[channels_out, channels_in / groups, kernel_height, kernel_width]`
/// - `bias`: `[channels_out]`
/// - output: `[n, channels_out, height_out, width_out]`
///
/// # Panics
///
/// Like Burn's own: if the images' channels are not the weights'.
#[must_use]
pub fn conv2d(
    images: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    #[cfg(feature = "flex")]
    if crate::flex::supports_conv2d(&images, &weight, bias.as_ref(), &options) {
        return crate::flex::conv2d(images, weight, bias, options);
    }
    #[cfg(feature = "cube")]
    if crate::cube::sums_narrow_numbers(&images, &weight) {
        let output = crate::ops::narrow_conv2d(images, weight, options);
        return match bias {
            Some(bias) => output + bias.reshape([1, -1, 1, 1]),
            None => output,
        };
    }
    burn::tensor::module::conv2d(images, weight, bias, options)
}

impl ModuleDisplay for Conv2d {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let [channels_out, channels_in, _, _] = self.weight.dims();
        content
            .add("ch_in", &(channels_in * self.groups))
            .add("ch_out", &channels_out)
            .add_debug_attribute("stride", &self.stride)
            .add_debug_attribute("kernel_size", &self.kernel_size)
            .add_debug_attribute("dilation", &self.dilation)
            .add("groups", &self.groups)
            .add_debug_attribute("padding", &self.padding)
            .optional()
    }
}
