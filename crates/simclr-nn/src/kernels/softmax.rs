//! Softmax over rows.

use pulp::Arch;
use rayon::prelude::*;

use super::exp::exp;
use super::memory::take;
use super::rows;

/// Values in a task.
const BLOCK: usize = 16 * 1024;

/// What turns a row into its softmax: e^(x - maximum) times the inverse of the sum of these powers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Normaliser {
    pub(super) maximum: f32,
    pub(super) inverse_sum: f32,
}

/// Turns each number x of `row` into e^(x - maximum).
pub(super) fn powers(row: &mut [f32]) -> Normaliser {
    let maximum = rows::maximum(row);
    shift_and_scale(row, Normaliser { maximum, inverse_sum: 1.0 });
    Normaliser { maximum, inverse_sum: 1.0 / rows::sum(row) }
}

/// Turns each number x of `row` into e^(x - maximum) times the inverse of the powers' sum.
pub(super) fn shift_and_scale(row: &mut [f32], normaliser: Normaliser) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for x in row {
                *x = exp(*x - normaliser.maximum) * normaliser.inverse_sum;
            }
        },
    );
}

/// Softmax of each row of `[rows, columns]`.
pub(crate) fn softmax(input: &[f32], columns: usize) -> Vec<f32> {
    let mut output = take(input.len());
    let block = columns * (BLOCK / columns).max(1);
    output.par_chunks_mut(block).zip(input.par_chunks(block)).for_each(|(output, input)| {
        let rows = output.chunks_exact_mut(columns).zip(input.chunks_exact(columns));
        for (output, input) in rows {
            output.copy_from_slice(input);
            let scale = powers(output).inverse_sum;
            for y in output {
                *y *= scale;
            }
        }
    });
    output
}

/// Turns `gradient`, `[rows, columns]`, from that of the softmax into that of its input. `output` is the softmax.
pub(crate) fn softmax_gradient(output: &[f32], gradient: &mut [f32], columns: usize) {
    let block = columns * (BLOCK / columns).max(1);
    gradient.par_chunks_mut(block).zip(output.par_chunks(block)).for_each(|(gradient, output)| {
        let rows = gradient.chunks_exact_mut(columns).zip(output.chunks_exact(columns));
        for (gradient, output) in rows {
            input_gradient(output, gradient, 1.0);
        }
    });
}

/// Turns a row's `gradient` from that of its softmax, `output`, into that of its input, times `factor`.
pub(super) fn input_gradient(output: &[f32], gradient: &mut [f32], factor: f32) {
    let mean = rows::sum_of_products(output, 0.0, gradient, 0.0);
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (g, &y) in gradient.iter_mut().zip(output) {
                *g = (*g - mean) * (y * factor);
            }
        },
    );
}
