//! The gradients of the weight and the bias.

use pulp::Arch;
use rayon::prelude::*;

use crate::kernels::memory::{Lent, take};
use crate::kernels::packing::copy_or_fill;
use crate::kernels::product::{LeftOrder, Product, STRIP, Tap, padded_columns, strips};

/// Rows of input and gradient that are packed at the same time.
const CHUNK: usize = 512;
/// Rows that are multiplied at a time: what a register tile reads of both factors stays in the first-level cache.
const RUN: usize = 128;
/// Inputs whose numbers lie together in the packed input. A register tile has as many rows, or a part of them.
const PANEL: usize = 16;
/// Inputs of a task.
const PART: usize = 2 * PANEL;

/// The gradients of a layer's parameters.
pub(crate) struct WeightGradients {
    /// `[inputs, outputs]`.
    pub(crate) weight: Vec<f32>,
    /// `[outputs]`.
    pub(crate) bias: Vec<f32>,
}

/// The gradients of a layer's parameters, from `input`, `[rows, inputs]`, and `gradient`, `[rows, outputs]`.
pub(crate) fn weight_gradients(
    input: &[f32],
    gradient: &[f32],
    inputs: usize,
    outputs: usize,
) -> WeightGradients {
    let rows = CHUNK.min(input.len() / inputs);
    let mut panels = Lent::new(rows * inputs.next_multiple_of(PANEL));
    let mut packed = Lent::new(rows * padded_columns(outputs));
    let mut weight = take(inputs * outputs);
    let mut bias = vec![0.0; outputs];
    let chunks = input.chunks(CHUNK * inputs).zip(gradient.chunks(CHUNK * outputs));
    for (index, (input, gradient)) in chunks.enumerate() {
        let ((), sums) = rayon::join(
            || pack_input(input, inputs, &mut panels),
            || pack_gradient(gradient, outputs, &mut packed),
        );
        for (bias, sum) in bias.iter_mut().zip(sums.iter().flatten()) {
            *bias += f64::from(*sum);
        }
        let factors = Factors { panels: &panels, packed: &packed, rows: input.len() / inputs };
        let parts = weight.par_chunks_mut(PART * outputs).enumerate();
        parts.for_each(|(part, weight)| factors.multiply(part, outputs, weight, index > 0));
    }
    WeightGradients { weight, bias: bias.into_iter().map(|sum| sum as f32).collect() }
}

/// `[rows, inputs]` as `[panel][row][PANEL]`, zero beyond the last input.
fn pack_input(input: &[f32], inputs: usize, panels: &mut [f32]) {
    let rows = input.len() / inputs;
    let count = inputs.div_ceil(PANEL);
    panels.par_chunks_mut(rows * PANEL).take(count).enumerate().for_each(|(panel, to)| {
        let start = panel * PANEL;
        let filled = PANEL.min(inputs - start);
        for (to, from) in to.chunks_exact_mut(PANEL).zip(input[start..].chunks(inputs)) {
            copy_or_fill::<PANEL>(&from[..filled], to);
        }
    });
}

/// `[rows, outputs]` as `[strip][row][width]`, zero beyond the last output; and each output's sum.
fn pack_gradient(gradient: &[f32], outputs: usize, packed: &mut [f32]) -> Vec<Vec<f32>> {
    let rows = gradient.len() / outputs;
    let strips: Vec<_> = strips(outputs).collect();
    let parts = packed[..rows * padded_columns(outputs)].par_chunks_mut(rows * STRIP).zip(strips);
    parts.map(|(to, (start, width))| pack_strip(gradient, outputs, start, width, to)).collect()
}

/// One strip of [`pack_gradient`]: the sums of the outputs from `start` on.
fn pack_strip(
    gradient: &[f32],
    outputs: usize,
    start: usize,
    width: usize,
    to: &mut [f32],
) -> Vec<f32> {
    let filled = width.min(outputs - start);
    let mut sums = [0.0; STRIP];
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (to, from) in to.chunks_exact_mut(width).zip(gradient[start..].chunks(outputs)) {
                copy_or_fill::<STRIP>(&from[..filled], to);
                if let Some(row) = to.first_chunk::<STRIP>() {
                    for lane in 0..STRIP {
                        sums[lane] += row[lane];
                    }
                } else {
                    for (sum, x) in sums.iter_mut().zip(&*to) {
                        *sum += x;
                    }
                }
            }
        },
    );
    sums[..filled].to_vec()
}

/// A chunk of both factors, packed.
struct Factors<'a> {
    panels: &'a [f32],
    packed: &'a [f32],
    rows: usize,
}

impl Factors<'_> {
    /// Writes the product for the inputs of a part to `weight`, or adds it.
    fn multiply(&self, part: usize, outputs: usize, weight: &mut [f32], add: bool) {
        let rows = self.rows;
        let panels = &self.panels[part * PART * rows..];
        for first in (0..rows).step_by(RUN) {
            for (start, width) in strips(outputs) {
                Arch::new().dispatch(Product {
                    left: panels,
                    order: LeftOrder::Steps(PANEL),
                    right: &self.packed[start * rows..],
                    right_stride: width,
                    taps: &[Tap { left: first * PANEL, right: first * width }],
                    run: RUN.min(rows - first),
                    rows: weight.len() / outputs,
                    place: |row: usize| {
                        (row / PANEL * PANEL * rows + row % PANEL, row * outputs + start)
                    },
                    width,
                    columns: width.min(outputs - start),
                    target: &mut *weight,
                    add: add || first > 0,
                });
            }
        }
    }
}
