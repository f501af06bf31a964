//! The gradient of the input.

use pulp::Arch;
use rayon::prelude::*;

use super::bands::{Band, Bands};
use super::phase::Phase;
use super::strip::{STRIPS, memory_of};
use super::sums::BandSums;
use super::weights::Weights;
use crate::kernels::Geometry;
use crate::kernels::padded::{Images, Window};
use crate::kernels::scratch::with_scratch;

/// The gradient of the input, into `result`.
///
/// Pixels whose rows and columns leave the same remainders after division by the stride meet the same kernel positions.
/// Each set of such pixels, a *phase*, is a convolution with stride 1 of the output's gradient.
pub(crate) fn input_gradient(
    geometry: &Geometry,
    weights: &[f32],
    gradient: &[f32],
    result: &mut [f32],
) {
    let Geometry { input: [height, width], channels_in: channels, kernel, stride, .. } = *geometry;
    let axes = [0, 1].map(|axis| AxisPhases::new(geometry, axis));
    let phases = phases(geometry, &axes, weights);
    let zero = Weights::per_channel(None, channels);
    let images = Images { values: gradient, size: geometry.output(), channels };
    Bands::new(height, width * channels, stride[0]).split(result).for_each(|(band, target)| {
        let window = window(geometry, &axes, &band);
        with_scratch(memory_of(STRIPS * window.pixels() + kernel[0] * kernel[1]), |memory| {
            Arch::new().dispatch(BandSums {
                image: images.image(band.image),
                window,
                phases: &phases,
                initial: &zero,
                memory,
                columns: width,
                target,
            });
        });
    });
}

/// What the phases of one axis meet.
struct AxisPhases {
    /// For each phase, the kernel positions that it meets, each with the distance from the phase's first pixel, counted in
    /// strides, to the output that it met. The distances rise by one from each to the next.
    met: Vec<Vec<(usize, isize)>>,
    /// The least and the greatest distance.
    reach: [isize; 2],
}

impl AxisPhases {
    fn new(geometry: &Geometry, axis: usize) -> Self {
        let stride = geometry.stride[axis] as isize;
        let of_phase = |phase: usize| {
            let shifted = (phase + geometry.padding_before[axis]) as isize;
            let positions = (0..geometry.kernel[axis]).rev();
            let distances = positions.map(|position| (position, shifted - position as isize));
            let whole = distances.filter(|(_, distance)| distance.rem_euclid(stride) == 0);
            whole.map(|(position, distance)| (position, distance.div_euclid(stride))).collect()
        };
        let met: Vec<Vec<_>> = (0..geometry.stride[axis]).map(of_phase).collect();
        let distances = met.iter().flatten().map(|&(_, distance)| distance);
        let least = distances.clone().min().unwrap_or(0);
        let greatest = distances.max().unwrap_or(0);
        Self { met, reach: [least, greatest] }
    }

    /// How many more outputs are met than there are steps.
    fn more(&self) -> usize {
        (self.reach[1] - self.reach[0]) as usize
    }

    /// The distance from the window's beginning.
    fn offset(&self, distance: isize) -> usize {
        (distance - self.reach[0]) as usize
    }
}

/// Every phase of rows with every phase of columns.
fn phases(geometry: &Geometry, [rows, columns]: &[AxisPhases; 2], weights: &[f32]) -> Vec<Phase> {
    let Geometry { channels_in: channels, kernel, stride, .. } = *geometry;
    let mut phases = Vec::new();
    for (down, of_rows) in rows.met.iter().enumerate() {
        for (across, of_columns) in columns.met.iter().enumerate() {
            let positions: Vec<usize> = of_rows
                .iter()
                .flat_map(|(i, _)| of_columns.iter().map(move |(j, _)| i * kernel[1] + j))
                .collect();
            phases.push(Phase {
                place: [down, across],
                step: stride,
                stride: [1, 1],
                rows: of_rows.iter().map(|&(_, distance)| rows.offset(distance)).collect(),
                column: of_columns.first().map_or(0, |&(_, distance)| columns.offset(distance)),
                kernel: of_columns.len(),
                weights: Weights::new(weights, channels, positions.into_iter()),
            });
        }
    }
    phases
}

/// The outputs that a band of inputs met.
fn window(geometry: &Geometry, [rows, columns]: &[AxisPhases; 2], band: &Band) -> Window {
    let Geometry { input, stride, .. } = *geometry;
    Window {
        start: [(band.start / stride[0]) as isize + rows.reach[0], columns.reach[0]],
        size: [
            band.rows.div_ceil(stride[0]) + rows.more(),
            input[1].div_ceil(stride[1]) + columns.more(),
        ],
    }
}
