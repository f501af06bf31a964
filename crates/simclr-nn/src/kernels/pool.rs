//! The largest value of each window.

use pulp::Arch;
use rayon::prelude::*;

use super::memory::take;

/// How windows are laid over an image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PoolOptions {
    /// Height and width of a window.
    pub(crate) kernel: [usize; 2],
    /// Pixels from one window to the next, down and across.
    pub(crate) stride: [usize; 2],
    /// Rows above and below the image, and columns to its left and right, that windows may reach into. No maximum
    /// is taken from them.
    pub(crate) padding: [usize; 2],
}

/// The windows over images `[n, h, w, channels]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    images: usize,
    channels: usize,
    /// Height and width of an image.
    input: [usize; 2],
    options: PoolOptions,
}

impl Windows {
    /// Windows over images `[n, channels, h, w]`.
    pub(crate) fn new(images: [usize; 4], options: PoolOptions) -> Self {
        let [images, channels, height, width] = images;
        Self { images, channels, input: [height, width], options }
    }

    /// The shape of the images, `[n, channels, h, w]`.
    pub(crate) fn input_shape(&self) -> [usize; 4] {
        [self.images, self.channels, self.input[0], self.input[1]]
    }

    /// The shape of the maxima, `[n, channels, h', w']`.
    pub(crate) fn output_shape(&self) -> [usize; 4] {
        let [height, width] = self.output();
        [self.images, self.channels, height, width]
    }

    /// Whether every window has a value, and its positions fit into a byte.
    pub(crate) fn are_proper(&self) -> bool {
        let PoolOptions { kernel, padding, .. } = self.options;
        let overlap =
            (0..2).all(|i| kernel[i] > padding[i] && self.input[i] + 2 * padding[i] >= kernel[i]);
        overlap && self.images * self.channels > 0 && kernel[0] * kernel[1] <= 255
    }

    /// Height and width of the output.
    fn output(&self) -> [usize; 2] {
        let PoolOptions { kernel, stride, padding } = self.options;
        [0, 1].map(|i| (self.input[i] + 2 * padding[i] - kernel[i]) / stride[i] + 1)
    }

    fn input_len(&self) -> usize {
        self.input[0] * self.input[1] * self.channels
    }

    fn output_len(&self) -> usize {
        let [down, across] = self.output();
        down * across * self.channels
    }

    /// Calls `visit` with each output pixel of an image, each position in its window, and the input pixel there.
    fn each(&self, mut visit: impl FnMut(usize, u8, usize)) {
        let [height, width] = self.input;
        let [down, across] = self.output();
        let PoolOptions { kernel, stride, padding } = self.options;
        for y in 0..down {
            for x in 0..across {
                for i in 0..kernel[0] {
                    for j in 0..kernel[1] {
                        let row = (y * stride[0] + i).wrapping_sub(padding[0]);
                        let column = (x * stride[1] + j).wrapping_sub(padding[1]);
                        if row < height && column < width {
                            let position = (i * kernel[1] + j) as u8;
                            visit(y * across + x, position, row * width + column);
                        }
                    }
                }
            }
        }
    }
}

/// The maxima `[n, h', w', channels]`, and where in its window each was found. NaN counts as larger than any number.
pub(crate) fn maxima(windows: &Windows, input: &[f32]) -> (Vec<f32>, Vec<u8>) {
    let channels = windows.channels;
    let of_image = windows.output_len();
    let mut values = take(windows.images * of_image);
    let mut found = vec![u8::MAX; values.len()];
    let images = input.par_chunks(windows.input_len());
    let results = values.par_chunks_mut(of_image).zip(found.par_chunks_mut(of_image));
    results.zip(images).for_each(|((values, found), input)| {
        values.fill(f32::NEG_INFINITY);
        windows.each(|output, position, pixel| {
            let values = &mut values[output * channels..][..channels];
            let found = &mut found[output * channels..][..channels];
            let input = &input[pixel * channels..][..channels];
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    for ((value, found), &x) in values.iter_mut().zip(found).zip(input) {
                        let larger = x > *value || x.is_nan() || *found == u8::MAX;
                        *value = if larger { x } else { *value };
                        *found = if larger { position } else { *found };
                    }
                },
            );
        });
    });
    (values, found)
}

/// The gradient of the input: each maximum's gradient is added where the maximum was found.
pub(crate) fn gradient_of_maxima(windows: &Windows, found: &[u8], gradient: &[f32]) -> Vec<f32> {
    let channels = windows.channels;
    let (of_image, of_input) = (windows.output_len(), windows.input_len());
    let mut result = take(windows.images * of_input);
    let outputs = gradient.par_chunks(of_image).zip(found.par_chunks(of_image));
    result.par_chunks_mut(of_input).zip(outputs).for_each(|(result, (gradient, found))| {
        result.fill(0.0);
        windows.each(|output, position, pixel| {
            let result = &mut result[pixel * channels..][..channels];
            let gradient = &gradient[output * channels..][..channels];
            let found = &found[output * channels..][..channels];
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    for ((slot, &g), &found) in result.iter_mut().zip(gradient).zip(found) {
                        *slot += if found == position { g } else { 0.0 };
                    }
                },
            );
        });
    });
    result
}
