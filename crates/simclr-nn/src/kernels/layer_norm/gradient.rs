//! The gradients.

use pulp::Arch;
use rayon::prelude::*;

use super::forward::{RowStatistics, rows_in_block};
use crate::kernels::rows;

/// The gradients of a normalisation's parameters, `[channels]` each.
pub(crate) struct LayerNormGradients {
    pub(crate) gamma: Vec<f32>,
    pub(crate) beta: Vec<f32>,
}

/// The gradients of gamma and beta. Turns `gradient`, `[rows, channels]`, from that of the output into that of `input`.
pub(crate) fn layer_norm_gradients(
    input: &[f32],
    statistics: &[RowStatistics],
    gamma: &[f32],
    gradient: &mut [f32],
) -> LayerNormGradients {
    let channels = gamma.len();
    let rows = rows_in_block(channels);
    let blocks = gradient.par_chunks_mut(rows * channels).zip(input.par_chunks(rows * channels));
    let sums: Vec<[Vec<f32>; 2]> = blocks
        .zip(statistics.par_chunks(rows))
        .map(|((gradient, input), statistics)| of_block(input, statistics, gamma, gradient))
        .collect();
    let joined = |which: usize| {
        let mut joined = vec![0.0; channels];
        for block in &sums {
            for (sum, &of_block) in joined.iter_mut().zip(&block[which]) {
                *sum += f64::from(of_block);
            }
        }
        joined.into_iter().map(|sum| sum as f32).collect()
    };
    LayerNormGradients { gamma: joined(0), beta: joined(1) }
}

/// A block's sums for gamma and beta. Its `gradient` becomes that of `input`.
fn of_block(
    input: &[f32],
    statistics: &[RowStatistics],
    gamma: &[f32],
    gradient: &mut [f32],
) -> [Vec<f32>; 2] {
    let channels = gamma.len();
    let mut sums = [vec![0.0; channels], vec![0.0; channels]];
    let [of_gamma, of_beta] = &mut sums;
    let rows = gradient.chunks_exact_mut(channels).zip(input.chunks_exact(channels));
    for ((gradient, input), &statistics) in rows.zip(statistics) {
        add_row(input, statistics, gamma, gradient, [of_gamma, of_beta]);
        of_row(input, statistics, gradient);
    }
    sums
}

/// Adds a row to the sums for gamma and beta. Its `gradient` becomes that of the normalised values.
fn add_row(
    input: &[f32],
    statistics: RowStatistics,
    gamma: &[f32],
    gradient: &mut [f32],
    [of_gamma, of_beta]: [&mut [f32]; 2],
) {
    let RowStatistics { mean, inverse_deviation } = statistics;
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let sums = of_gamma.iter_mut().zip(of_beta);
            let values = gradient.iter_mut().zip(input).zip(gamma);
            for (((g, &x), gamma), (of_gamma, of_beta)) in values.zip(sums) {
                *of_gamma += *g * ((x - mean) * inverse_deviation);
                *of_beta += *g;
                *g *= gamma;
            }
        },
    );
}

/// Turns a row's `gradient` from that of the normalised values into that of `input`, which acts through mean and variance,
/// too.
fn of_row(input: &[f32], statistics: RowStatistics, gradient: &mut [f32]) {
    let RowStatistics { mean, inverse_deviation } = statistics;
    let count = input.len() as f32;
    let of_mean = rows::sum(gradient) / count;
    let product = rows::sum_of_products(gradient, 0.0, input, mean);
    let of_deviation = product * inverse_deviation * inverse_deviation / count;
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (g, &x) in gradient.iter_mut().zip(input) {
                *g = inverse_deviation * (*g - of_mean - (x - mean) * of_deviation);
            }
        },
    );
}
