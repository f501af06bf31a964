//! The sizes of a convolution, and what they decide.

use burn::tensor::ops::ConvOptions;

/// A 2D convolution of f32 images in channels-last order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Geometry {
    pub(crate) images: usize,
    /// Height and width of the input.
    pub(crate) input: [usize; 2],
    pub(crate) channels_in: usize,
    pub(crate) channels_out: usize,
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Rows above and columns to the left.
    pub(crate) padding_before: [usize; 2],
    /// Rows below and columns to the right.
    pub(crate) padding_after: [usize; 2],
    pub(crate) dilation: [usize; 2],
    pub(crate) groups: usize,
}

impl Geometry {
    /// `input` `[n, c, h, w]` convolved with `weight` `[o, c, kh, kw]`.
    pub(crate) fn new(input: [usize; 4], weight: [usize; 4], options: &ConvOptions<2>) -> Self {
        let [images, channels_in, height, width] = input;
        let [channels_out, _, kernel_height, kernel_width] = weight;
        let [(top, bottom), (left, right)] = options.padding;
        Self {
            images,
            input: [height, width],
            channels_in,
            channels_out,
            kernel: [kernel_height, kernel_width],
            stride: options.stride,
            padding_before: [top, left],
            padding_after: [bottom, right],
            dilation: options.dilation,
            groups: options.groups,
        }
    }

    /// Whether every channel is convolved by itself, with one kernel.
    pub(crate) fn is_depthwise(&self) -> bool {
        self.groups > 1 && [self.channels_in, self.channels_out] == [self.groups; 2]
    }

    /// Whether nothing is empty and the kernel fits into the padded input.
    pub(crate) fn is_proper(&self) -> bool {
        let fits = (0..2).all(|i| {
            let padded = self.input[i] + self.padding_before[i] + self.padding_after[i];
            self.kernel[i] > 0 && padded > self.dilation[i] * (self.kernel[i] - 1)
        });
        fits && self.input_len() > 0 && self.channels_out > 0
    }

    /// Whether there is one output pixel for each input pixel, which depends on that pixel alone.
    pub(crate) fn is_pointwise(&self) -> bool {
        let zero = [0, 0];
        self.kernel == [1, 1]
            && self.stride == [1, 1]
            && (self.padding_before, self.padding_after) == (zero, zero)
    }

    /// Whether vectors that run over the input's channels would be mostly empty.
    pub(crate) fn has_few_channels(&self) -> bool {
        self.channels_in < 8
    }

    /// Channels out and in.
    pub(crate) fn channels(&self) -> [usize; 2] {
        [self.channels_out, self.channels_in]
    }

    /// Positions of the kernel.
    pub(crate) fn positions(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Height and width of the output.
    pub(crate) fn output(&self) -> [usize; 2] {
        [0, 1].map(|i| {
            let padded = self.input[i] + self.padding_before[i] + self.padding_after[i];
            (padded - (self.dilation[i] * (self.kernel[i] - 1) + 1)) / self.stride[i] + 1
        })
    }

    pub(crate) fn input_len(&self) -> usize {
        self.images * self.input[0] * self.input[1] * self.channels_in
    }

    pub(crate) fn output_len(&self) -> usize {
        let [height, width] = self.output();
        self.images * height * width * self.channels_out
    }
}
