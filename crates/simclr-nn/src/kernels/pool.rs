//! The largest value of each window.

use pulp::Arch;
use rayon::prelude::*;

/// The sizes of a pooling of `[n, h, w, channels]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    pub(crate) images: usize,
    /// Height and width of the input.
    pub(crate) input: [usize; 2],
    pub(crate) channels: usize,
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    /// Rows and columns on every side that no window's maximum is taken from.
    pub(crate) padding: [usize; 2],
}

impl Windows {
    /// Height and width of the output.
    pub(crate) fn output(&self) -> [usize; 2] {
        [0, 1].map(|i| (self.input[i] + 2 * self.padding[i] - self.kernel[i]) / self.stride[i] + 1)
    }

    /// Whether every window has a value, and its positions fit into a byte.
    pub(crate) fn are_proper(&self) -> bool {
        let overlap = (0..2).all(|i| {
            self.kernel[i] > self.padding[i]
                && self.input[i] + 2 * self.padding[i] >= self.kernel[i]
        });
        overlap && self.images * self.channels > 0 && self.kernel[0] * self.kernel[1] <= 255
    }

    /// Calls `visit` with each output pixel of an image, each position of its window, and the input pixel there.
    fn each(&self, mut visit: impl FnMut(usize, u8, usize)) {
        let ([height, width], [across, down]) = (self.input, {
            let [down, across] = self.output();
            [across, down]
        });
        for y in 0..down {
            for x in 0..across {
                for i in 0..self.kernel[0] {
                    for j in 0..self.kernel[1] {
                        let row = (y * self.stride[0] + i).wrapping_sub(self.padding[0]);
                        let column = (x * self.stride[1] + j).wrapping_sub(self.padding[1]);
                        if row < height && column < width {
                            let position = (i * self.kernel[1] + j) as u8;
                            visit(y * across + x, position, row * width + column);
                        }
                    }
                }
            }
        }
    }
}

/// The maxima `[n, h', w', channels]`, and where in its window each was found. NaN is larger than anything.
pub(crate) fn maxima(windows: &Windows, input: &[f32]) -> (Vec<f32>, Vec<u8>) {
    let channels = windows.channels;
    let [down, across] = windows.output();
    let of_image = down * across * channels;
    let mut values = vec![f32::NEG_INFINITY; windows.images * of_image];
    let mut found = vec![u8::MAX; values.len()];
    let images = input.par_chunks(windows.input[0] * windows.input[1] * channels);
    let results = values.par_chunks_mut(of_image).zip(found.par_chunks_mut(of_image));
    results.zip(images).for_each(|((values, found), input)| {
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

/// The gradient of the input: each maximum's goes to where it was found.
pub(crate) fn gradient_of_maxima(windows: &Windows, found: &[u8], gradient: &[f32]) -> Vec<f32> {
    let channels = windows.channels;
    let [down, across] = windows.output();
    let of_image = down * across * channels;
    let of_input = windows.input[0] * windows.input[1] * channels;
    let mut result = vec![0.0; windows.images * of_input];
    let outputs = gradient.par_chunks(of_image).zip(found.par_chunks(of_image));
    result.par_chunks_mut(of_input).zip(outputs).for_each(|(result, (gradient, found))| {
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
