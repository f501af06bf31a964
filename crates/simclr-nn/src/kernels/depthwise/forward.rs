//! The output.

use pulp::Arch;
use rayon::prelude::*;

use super::bands::{Band, Bands};
use super::phase::Phase;
use super::strip::{STRIPS, memory_of};
use super::sums::BandSums;
use super::weights::Weights;
use crate::kernels::padded::{Images, Window};
use crate::kernels::scratch::with_scratch;
use crate::kernels::{Finish, Geometry};

/// The convolution, finished, into `result`.
pub(crate) fn forward(
    geometry: &Geometry,
    input: &[f32],
    weights: &[f32],
    finish: Finish<'_>,
    result: &mut [f32],
) {
    let Geometry { channels_in: channels, kernel, stride, .. } = *geometry;
    let [height, width] = geometry.output();
    let phase = Phase {
        place: [0, 0],
        step: [1, 1],
        stride,
        rows: (0..kernel[0]).collect(),
        column: 0,
        kernel: kernel[1],
        weights: Weights::new(weights, channels, 0..kernel[0] * kernel[1]),
    };
    let initial = Weights::per_channel(finish.bias, channels);
    let finish = Finish { bias: None, ..finish };
    let images = Images { values: input, size: geometry.input, channels };
    Bands::new(height, width * channels, 1).split(result).for_each(|(band, target)| {
        let window = window(geometry, &band);
        with_scratch(memory_of(STRIPS * window.pixels() + kernel[0] * kernel[1]), |memory| {
            Arch::new().dispatch(BandSums {
                image: images.image(band.image),
                window,
                phases: std::slice::from_ref(&phase),
                initial: &initial,
                memory,
                columns: width,
                target: &mut *target,
            });
        });
        let before = (band.image * height + band.start) * width * channels;
        finish.apply(target, channels, before);
    });
}

/// The input pixels that a band of outputs meets.
pub(super) fn window(geometry: &Geometry, band: &Band) -> Window {
    let Geometry { kernel, stride, padding_before, .. } = *geometry;
    let outputs = [band.rows, geometry.output()[1]];
    let first = [band.start * stride[0], 0];
    Window {
        start: [0, 1].map(|axis| first[axis] as isize - padding_before[axis] as isize),
        size: [0, 1].map(|axis| (outputs[axis] - 1) * stride[axis] + kernel[axis]),
    }
}
