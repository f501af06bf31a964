//! The normalised values.

use pulp::Arch;
use rayon::prelude::*;

use crate::kernels::memory::take;
use crate::kernels::rows;

/// Values in a task.
const BLOCK: usize = 16 * 1024;

/// What a row is normalised with.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RowStatistics {
    pub(super) mean: f32,
    /// 1 / √(variance + epsilon)
    pub(super) inverse_deviation: f32,
}

/// Rows in a task.
pub(super) fn rows_in_block(channels: usize) -> usize {
    (BLOCK / channels).max(1)
}

/// The rows of `input`, `[rows, channels]`, normalised, times `gamma`, plus `beta`; and what they were normalised with.
pub(crate) fn layer_norm(
    input: &[f32],
    gamma: &[f32],
    beta: Option<&[f32]>,
    epsilon: f64,
) -> (Vec<f32>, Vec<RowStatistics>) {
    let channels = gamma.len();
    let rows = rows_in_block(channels);
    let mut output = take(input.len());
    let mut statistics = vec![RowStatistics::default(); input.len() / channels];
    let blocks = output.par_chunks_mut(rows * channels).zip(statistics.par_chunks_mut(rows));
    blocks.zip(input.par_chunks(rows * channels)).for_each(|((output, statistics), input)| {
        let rows = output.chunks_exact_mut(channels).zip(input.chunks_exact(channels));
        for ((output, input), statistics) in rows.zip(statistics) {
            *statistics = of_row(input, epsilon as f32);
            normalise(output, input, *statistics, gamma, beta);
        }
    });
    (output, statistics)
}

fn of_row(row: &[f32], epsilon: f32) -> RowStatistics {
    let count = row.len() as f32;
    let mean = rows::sum(row) / count;
    let variance = rows::sum_of_products(row, mean, row, mean) / count;
    RowStatistics { mean, inverse_deviation: 1.0 / (variance + epsilon).sqrt() }
}

fn normalise(
    output: &mut [f32],
    input: &[f32],
    statistics: RowStatistics,
    gamma: &[f32],
    beta: Option<&[f32]>,
) {
    let RowStatistics { mean, inverse_deviation } = statistics;
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for ((y, &x), &gamma) in output.iter_mut().zip(input).zip(gamma) {
                *y = (x - mean) * inverse_deviation * gamma;
            }
            if let Some(beta) = beta {
                for (y, &beta) in output.iter_mut().zip(beta) {
                    *y += beta;
                }
            }
        },
    );
}
