//! Softmax over rows.

use pulp::Arch;
use rayon::prelude::*;

use super::exp::exp;
use super::lanes::{LANES, folded_maximum, folded_sum};
use super::scratch::with_scratch;

/// Values in a task.
const BLOCK: usize = 16 * 1024;

/// What turns a row into its softmax: e^(x - maximum) times the inverse of the sum of these powers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Normaliser {
    pub(super) maximum: f32,
    pub(super) inverse_sum: f32,
}

/// Turns each number x of `row` into e^(x - maximum). The row's length is a multiple of [`LANES`]: what is too much is minus
/// infinity.
#[inline(always)]
pub(super) fn powers(row: &mut [f32]) -> Normaliser {
    let mut maxima = [f32::NEG_INFINITY; LANES];
    let (vectors, _) = row.as_chunks_mut::<LANES>();
    for vector in &*vectors {
        for lane in 0..LANES {
            maxima[lane] = if vector[lane] > maxima[lane] { vector[lane] } else { maxima[lane] };
        }
    }
    let maximum = folded_maximum(maxima);
    let mut sums = [0.0; LANES];
    for vector in vectors {
        for lane in 0..LANES {
            let power = exp(vector[lane] - maximum);
            vector[lane] = power;
            sums[lane] += power;
        }
    }
    Normaliser { maximum, inverse_sum: 1.0 / folded_sum(sums) }
}

/// Softmax of each row of `[rows, columns]`.
pub(crate) fn softmax(input: &[f32], columns: usize) -> Vec<f32> {
    let mut output = vec![0.0; input.len()];
    let block = columns * (BLOCK / columns).max(1);
    let padded = columns.next_multiple_of(LANES);
    output.par_chunks_mut(block).zip(input.par_chunks(block)).for_each(|(output, input)| {
        with_scratch(padded, |row| {
            let rows = output.chunks_exact_mut(columns).zip(input.chunks_exact(columns));
            for (output, input) in rows {
                row[..columns].copy_from_slice(input);
                row[columns..].fill(f32::NEG_INFINITY);
                softmax_of_row(row, output);
            }
        });
    });
    output
}

fn softmax_of_row(row: &mut [f32], output: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let scale = powers(row).inverse_sum;
            for (y, &power) in output.iter_mut().zip(&*row) {
                *y = power * scale;
            }
        },
    );
}

/// Turns `gradient`, `[rows, columns]`, from that of the softmax into that of its input. `output` is the softmax.
pub(crate) fn softmax_gradient(output: &[f32], gradient: &mut [f32], columns: usize) {
    let block = columns * (BLOCK / columns).max(1);
    gradient.par_chunks_mut(block).zip(output.par_chunks(block)).for_each(|(gradient, output)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let rows = gradient.chunks_exact_mut(columns).zip(output.chunks_exact(columns));
                for (gradient, output) in rows {
                    input_gradient(output, gradient, 1.0);
                }
            },
        );
    });
}

/// Turns a row's `gradient` from that of its softmax, `output`, into that of its input, times `factor`.
#[inline(always)]
pub(super) fn input_gradient(output: &[f32], gradient: &mut [f32], factor: f32) {
    let mut sums = [0.0; LANES];
    let (outputs, rest) = output.as_chunks::<LANES>();
    let (gradients, rest_gradient) = gradient.as_chunks::<LANES>();
    for (output, gradient) in outputs.iter().zip(gradients) {
        for lane in 0..LANES {
            sums[lane] += output[lane] * gradient[lane];
        }
    }
    for ((sum, &y), &g) in sums.iter_mut().zip(rest).zip(rest_gradient) {
        *sum += y * g;
    }
    let mean = folded_sum(sums);
    for (g, &y) in gradient.iter_mut().zip(output) {
        *g = (*g - mean) * (y * factor);
    }
}
