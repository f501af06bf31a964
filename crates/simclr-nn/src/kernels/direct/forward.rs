//! The output.

use pulp::Arch;
use rayon::prelude::*;

use super::bands::{Band, Bands};
use crate::kernels::padded::{Images, Window};
use crate::kernels::product::{LeftOrder, Product, Tap, strips};
use crate::kernels::{Finish, Geometry, PackedWeights};

/// The convolution, into `result`.
pub(crate) fn forward(
    geometry: &Geometry,
    input: &[f32],
    weights: &PackedWeights,
    finish: Finish<'_>,
    result: &mut [f32],
) {
    let channels = geometry.channels_out;
    let size = geometry.output();
    let bands = Bands::new(geometry.images, size);
    let tasks = bands.split(result, size[1] * channels, |band| band.rows);
    tasks.into_par_iter().for_each(|(bands, result)| {
        convolve(geometry, input, weights, &bands, result);
        let rows = bands[0].image * size[0] + bands[0].start;
        finish.apply(result, channels, rows * size[1] * channels);
    });
}

fn convolve(
    geometry: &Geometry,
    input: &[f32],
    weights: &PackedWeights,
    bands: &[Band],
    result: &mut [f32],
) {
    let channels = geometry.channels_in;
    let reads = |rows: usize, axis: usize| {
        (rows - 1) * geometry.stride[axis]
            + (geometry.kernel[axis] - 1) * geometry.dilation[axis]
            + 1
    };
    let columns = reads(geometry.output()[1], 1);
    let whole = columns == geometry.input[1] && geometry.padding_before == [0, 0];
    if whole && geometry.padding_after[0] == 0 {
        // The bands read no padding, so they can read the images themselves.
        let starts = bands.iter().map(|band| {
            let row = band.image * geometry.input[0] + band.start * geometry.stride[0];
            row * columns * channels
        });
        multiply(geometry, Pixels { values: input, starts, columns }, weights, bands, result);
        return;
    }
    let window = |band: &Band| Window {
        start: [
            (band.start * geometry.stride[0]) as isize - geometry.padding_before[0] as isize,
            -(geometry.padding_before[1] as isize),
        ],
        size: [reads(band.rows, 0), columns],
    };
    let windows = bands.iter().map(|band| (band.image, window(band)));
    let lens = windows.clone().map(|(_, window)| window.len(channels));
    let starts = lens.scan(0, |sum, len| Some(std::mem::replace(sum, *sum + len)));
    let images = Images { values: input, size: geometry.input, channels };
    images.with_windows(windows, |padded| {
        multiply(geometry, Pixels { values: padded, starts, columns }, weights, bands, result);
    });
}

/// Where a task reads its pixels.
struct Pixels<'a, I> {
    values: &'a [f32],
    /// Where each band begins.
    starts: I,
    /// Pixels in a row.
    columns: usize,
}

/// The product of the bands' pixels with the weights, into `result`.
fn multiply(
    geometry: &Geometry,
    pixels: Pixels<'_, impl Iterator<Item = usize>>,
    weights: &PackedWeights,
    bands: &[Band],
    result: &mut [f32],
) {
    let Geometry { channels_in, channels_out, kernel, stride, dilation, .. } = *geometry;
    let row = pixels.columns * channels_in;
    let mut places = Vec::new();
    for (band, start) in bands.iter().zip(pixels.starts) {
        for y in 0..band.rows {
            for x in 0..geometry.output()[1] {
                let at = start + y * stride[0] * row + x * stride[1] * channels_in;
                places.push((at, places.len() * channels_out));
            }
        }
    }
    // Neighbouring positions in a kernel's row are one run, if no other pixels lie between them.
    let joined = if dilation[1] == 1 { kernel[1] } else { 1 };
    for (start, width) in strips(channels_out) {
        let mut taps = Vec::new();
        for i in 0..kernel[0] {
            for j in (0..kernel[1]).step_by(joined) {
                taps.push(Tap {
                    left: i * dilation[0] * row + j * dilation[1] * channels_in,
                    right: (i * kernel[1] + j) * channels_in * width,
                });
            }
        }
        Arch::new().dispatch(Product {
            left: pixels.values,
            order: LeftOrder::Rows,
            right: weights.strip(start, width),
            right_stride: width,
            taps: &taps,
            run: joined * channels_in,
            rows: places.len(),
            place: |row: usize| (places[row].0, places[row].1 + start),
            width,
            columns: width.min(channels_out - start),
            target: &mut *result,
            add: false,
        });
    }
}
