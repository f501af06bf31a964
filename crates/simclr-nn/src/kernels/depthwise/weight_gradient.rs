//! The gradient of the weights.

use pulp::Arch;
use rayon::prelude::*;

use super::bands::Bands;
use super::forward::window;
use super::strip::{STRIPS, memory_of};
use super::weight_sums::BandWeightSums;
use crate::kernels::Geometry;
use crate::kernels::padded::Images;
use crate::kernels::scratch::with_scratch;

/// Tasks, at most: each has sums of its own, which are joined in the tasks' order.
const TASKS: usize = 64;
/// Numbers of gradients in a task, at least.
const LEAST: usize = 32 * 1024;

/// The gradient `[channels, 1, kh, kw]`, from `input` `[n, h, w, channels]` and the gradient of the output.
pub(crate) fn weight_gradient(geometry: &Geometry, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    let Geometry { channels_in: channels, kernel, .. } = *geometry;
    let [height, width] = geometry.output();
    let row = width * channels;
    let images = Images { values: input, size: geometry.input, channels };
    let bands = Bands::new(height, row, 1).all(geometry.images);
    let tasks = TASKS.min(gradient.len() / LEAST).max(1);
    let of_tasks: Vec<Vec<f32>> = bands
        .par_chunks(bands.len().div_ceil(tasks))
        .map(|bands| {
            let mut sums = vec![0.0; kernel[0] * kernel[1] * channels];
            for band in bands {
                let window = window(geometry, band);
                let start = (band.image * height + band.start) * row;
                with_scratch(memory_of(STRIPS * window.pixels()), |memory| {
                    Arch::new().dispatch(BandWeightSums {
                        image: images.image(band.image),
                        window,
                        kernel,
                        stride: geometry.stride,
                        memory,
                        gradient: &gradient[start..start + band.rows * row],
                        columns: width,
                        sums: &mut sums,
                    });
                });
            }
            sums
        })
        .collect();
    let mut of_tasks = of_tasks.into_iter();
    let mut joined = of_tasks.next().unwrap_or_default();
    for sums in of_tasks {
        for (slot, sum) in joined.iter_mut().zip(sums) {
            *slot += sum;
        }
    }
    by_channel(&joined, channels)
}

/// `[positions, channels]` as `[channels, positions]`.
fn by_channel(sums: &[f32], channels: usize) -> Vec<f32> {
    (0..channels).flat_map(|channel| sums[channel..].iter().step_by(channels)).copied().collect()
}
