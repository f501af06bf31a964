//! The gradient of the input.

use pulp::Arch;
use rayon::prelude::*;

use super::bands::{Band, Bands};
use crate::kernels::padded::{Images, Window};
use crate::kernels::product::{LeftOrder, Product, Tap, strips};
use crate::kernels::{Geometry, PackedWeights};

/// The gradient of the input, into `result`.
///
/// Pixels whose rows and columns leave the same remainders after division by the stride meet the same kernel
/// positions. Each set of such pixels, a *phase*, is a convolution with stride 1 of the output's gradient.
pub(crate) fn input_gradient(
    geometry: &Geometry,
    weights: &PackedWeights,
    gradient: &[f32],
    result: &mut [f32],
) {
    // A step of a band is as many input rows as the stride is high.
    let steps = [0, 1].map(|axis| geometry.input[axis].div_ceil(geometry.stride[axis]));
    let bands = Bands::new(geometry.images, steps);
    let row = geometry.input[1] * geometry.channels_in;
    let tasks = bands.split(result, row, |band| input_rows(geometry, band));
    tasks.into_par_iter().for_each(|(bands, result)| {
        convolve(geometry, gradient, weights, &bands, result);
    });
}

/// Input rows of a band of steps: the last step of an image may have fewer.
fn input_rows(geometry: &Geometry, band: &Band) -> usize {
    let stride = geometry.stride[0];
    ((band.start + band.rows) * stride).min(geometry.input[0]) - band.start * stride
}

/// The kernel positions that meet a phase along one axis, each with the distance from the step to the output it met.
fn met(geometry: &Geometry, axis: usize, phase: usize) -> Vec<(usize, isize)> {
    let stride = geometry.stride[axis] as isize;
    let shifted = (phase + geometry.padding_before[axis]) as isize;
    (0..geometry.kernel[axis])
        .map(|position| (position, shifted - (position * geometry.dilation[axis]) as isize))
        .filter(|(_, distance)| distance.rem_euclid(stride) == 0)
        .map(|(position, distance)| (position, distance.div_euclid(stride)))
        .collect()
}

fn convolve(
    geometry: &Geometry,
    gradient: &[f32],
    weights: &PackedWeights,
    bands: &[Band],
    result: &mut [f32],
) {
    let phases = [0, 1].map(|axis| {
        (0..geometry.stride[axis].min(geometry.input[axis]))
            .map(|phase| met(geometry, axis, phase))
            .collect::<Vec<_>>()
    });
    // The least and the greatest distance from a step to an output that it meets, which may lie outside the image.
    let reach = [0, 1].map(|axis| {
        let distances = phases[axis].iter().flatten().map(|&(_, distance)| distance);
        (distances.clone().min().unwrap_or(0), distances.max().unwrap_or(0))
    });
    let steps = geometry.input[1].div_ceil(geometry.stride[1]);
    let columns = steps + (reach[1].1 - reach[1].0) as usize;
    let window = |band: &Band| Window {
        start: [band.start as isize + reach[0].0, reach[1].0],
        size: [band.rows + (reach[0].1 - reach[0].0) as usize, columns],
    };
    let windows = bands.iter().map(|band| (band.image, window(band)));
    let channels = geometry.channels_out;
    let lens: Vec<usize> = windows.clone().map(|(_, window)| window.len(channels)).collect();
    let mut multiply = |padded: &[f32]| {
        for (phase_row, of_rows) in phases[0].iter().enumerate() {
            for (phase_column, of_columns) in phases[1].iter().enumerate() {
                let phase = Phase {
                    geometry,
                    offset: [phase_row, phase_column],
                    met: [of_rows, of_columns],
                    reach: [reach[0].0, reach[1].0],
                    columns,
                };
                phase.multiply(padded, &lens, weights, bands, &mut *result);
            }
        }
    };
    if geometry.is_pointwise() {
        // The bands read no padding, and lie one behind the other.
        let start = (bands[0].image * geometry.input[0] + bands[0].start) * columns * channels;
        multiply(&gradient[start..start + lens.iter().sum::<usize>()]);
        return;
    }
    let images = Images { values: gradient, size: geometry.output(), channels };
    images.with_windows(windows, multiply);
}

/// The pixels whose rows and columns leave the same remainders after division by the stride.
struct Phase<'a> {
    geometry: &'a Geometry,
    /// The remainders, of rows and of columns.
    offset: [usize; 2],
    /// The kernel positions along each axis, as [`met`] gives them.
    met: [&'a [(usize, isize)]; 2],
    /// The distance from a step to the window's beginning.
    reach: [isize; 2],
    /// Columns of the window.
    columns: usize,
}

impl Phase<'_> {
    /// Writes the gradient of the phase's pixels to `result`. The bands' windows have `lens` numbers each.
    fn multiply(
        &self,
        padded: &[f32],
        lens: &[usize],
        weights: &PackedWeights,
        bands: &[Band],
        result: &mut [f32],
    ) {
        let Geometry { channels_in, channels_out, kernel, .. } = *self.geometry;
        let places = self.places(lens, bands);
        let positions = self.met[0].len() * self.met[1].len();
        if places.is_empty() {
            return;
        }
        if positions == 0 {
            for &(_, at) in &places {
                result[at..at + channels_in].fill(0.0);
            }
            return;
        }
        for (start, width) in strips(channels_in) {
            let mut taps = Vec::with_capacity(positions);
            for &(i, row) in self.met[0] {
                for &(j, column) in self.met[1] {
                    let row = (row - self.reach[0]) as usize;
                    let column = (column - self.reach[1]) as usize;
                    taps.push(Tap {
                        left: (row * self.columns + column) * channels_out,
                        right: (i * kernel[1] + j) * channels_out * width,
                    });
                }
            }
            Arch::new().dispatch(Product {
                left: padded,
                order: LeftOrder::Rows,
                right: weights.strip(start, width),
                right_stride: width,
                taps: &taps,
                run: channels_out,
                rows: places.len(),
                place: |row: usize| (places[row].0, places[row].1 + start),
                width,
                columns: width.min(channels_in - start),
                target: &mut *result,
                add: false,
            });
        }
    }

    /// Where each pixel of the phase begins in the window, and in the result.
    fn places(&self, lens: &[usize], bands: &[Band]) -> Vec<(usize, usize)> {
        let Geometry { input: [height, width], stride, channels_in, channels_out, .. } =
            *self.geometry;
        let mut places = Vec::new();
        let (mut window, mut first_row) = (0, 0);
        for (band, len) in bands.iter().zip(lens) {
            for step in 0..band.rows {
                let row = (band.start + step) * stride[0] + self.offset[0];
                if row >= height {
                    break;
                }
                let row = first_row + row - band.start * stride[0];
                let across = (self.offset[1]..width).step_by(stride[1]).enumerate();
                for (step_across, column) in across {
                    places.push((
                        window + (step * self.columns + step_across) * channels_out,
                        (row * width + column) * channels_in,
                    ));
                }
            }
            window += len;
            first_row += input_rows(self.geometry, band);
        }
        places
    }
}
