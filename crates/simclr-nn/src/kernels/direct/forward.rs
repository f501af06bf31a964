//! The output.

use pulp::Arch;
use rayon::prelude::*;

use super::padded::Window;
use super::weights::PackedWeights;
use super::{Band, Bands, split_by_task};
use crate::kernels::Geometry;
use crate::kernels::product::{Order, Product, Tap, strips};
use crate::kernels::scratch::with_scratch;

/// The convolution, into `result`.
pub(crate) fn forward(
    geometry: &Geometry,
    input: &[f32],
    weights: &[f32],
    bias: Option<&[f32]>,
    result: &mut [f32],
) {
    let positions = geometry.kernel[0] * geometry.kernel[1];
    let channels = [geometry.channels_out, geometry.channels_in];
    let weights = PackedWeights::new(weights, channels, positions, false);
    let size = geometry.output();
    let bands = Bands::new(geometry.images, size);
    let tasks = split_by_task(&bands, result, size[1] * geometry.channels_out);
    tasks.into_par_iter().for_each(|(bands, result)| {
        convolve(geometry, input, &weights, &bands, result);
        if let Some(bias) = bias {
            for pixel in result.chunks_exact_mut(bias.len()) {
                for (value, bias) in pixel.iter_mut().zip(bias) {
                    *value += bias;
                }
            }
        }
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
    let image = geometry.input[0] * geometry.input[1] * channels;
    let reads = |rows: usize, axis: usize| {
        (rows - 1) * geometry.stride[axis]
            + (geometry.kernel[axis] - 1) * geometry.dilation[axis]
            + 1
    };
    let columns = reads(geometry.output()[1], 1);
    let window = |band: &Band| Window {
        start: [
            (band.start * geometry.stride[0]) as isize - geometry.padding_before[0] as isize,
            -(geometry.padding_before[1] as isize),
        ],
        size: [reads(band.rows, 0), columns],
    };
    let whole = columns == geometry.input[1] && geometry.padding_before == [0, 0];
    if whole && geometry.padding_after[0] == 0 {
        // The bands' own pixels are all there is to read.
        let starts = bands
            .iter()
            .map(|band| band.image * image + band.start * geometry.stride[0] * columns * channels);
        multiply(geometry, input, weights, bands, starts, columns, result);
        return;
    }
    let sizes = bands.iter().map(|band| window(band).len(channels));
    with_scratch(sizes.clone().sum(), |padded| {
        let mut rest = &mut *padded;
        for (band, len) in bands.iter().zip(sizes.clone()) {
            let (to, others) = std::mem::take(&mut rest).split_at_mut(len);
            rest = others;
            let from = &input[band.image * image..][..image];
            window(band).copy(from, geometry.input, channels, to);
        }
        let starts = sizes.scan(0, |sum, len| Some(std::mem::replace(sum, *sum + len)));
        multiply(geometry, padded, weights, bands, starts, columns, result);
    });
}

/// The product of the pixels that begin at `starts`, rows `columns` pixels long, with the weights.
fn multiply(
    geometry: &Geometry,
    left: &[f32],
    weights: &PackedWeights,
    bands: &[Band],
    starts: impl Iterator<Item = usize>,
    columns: usize,
    result: &mut [f32],
) {
    let Geometry { channels_in, channels_out, kernel, stride, dilation, .. } = *geometry;
    let row = columns * channels_in;
    let mut places = Vec::new();
    for (band, start) in bands.iter().zip(starts) {
        for y in 0..band.rows {
            for x in 0..geometry.output()[1] {
                let at = start + y * stride[0] * row + x * stride[1] * channels_in;
                places.push((at, places.len() * channels_out));
            }
        }
    }
    // Neighbouring positions of a kernel's row are one run, if nothing lies between them.
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
            left,
            order: Order::Rows,
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
