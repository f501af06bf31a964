//! The mean and variance of each channel.

use pulp::Arch;
use rayon::prelude::*;

use super::blocks::{block, folded, repeated, zeros};

/// Mean and biased variance of each channel of `[pixels, channels]`.
pub(crate) struct Statistics {
    pub(crate) mean: Vec<f32>,
    pub(crate) variance: Vec<f32>,
}

/// The statistics of `values`, `[pixels, channels]`.
///
/// Each block has its own mean and sum of squared differences from it; they are joined in f64, in the blocks' order
/// (Chan et al. 1983). One sweep over memory is then as exact as two.
pub(crate) fn statistics(values: &[f32], channels: usize) -> Statistics {
    let of_blocks: Vec<BlockStatistics> =
        values.par_chunks(block(channels)).map(|block| block_statistics(block, channels)).collect();
    let mut count = 0.0;
    let (mut mean, mut squares) = (vec![0.0; channels], vec![0.0; channels]);
    for block in of_blocks {
        let all = count + block.count;
        for c in 0..channels {
            let difference = block.mean[c] - mean[c];
            mean[c] += difference * block.count / all;
            squares[c] += block.squares[c] + difference * difference * count * block.count / all;
        }
        count = all;
    }
    Statistics {
        mean: mean.iter().map(|&m| m as f32).collect(),
        variance: squares.iter().map(|&s| (s / count) as f32).collect(),
    }
}

/// The sum of each channel of `[pixels, channels]`.
pub(crate) fn channel_sums(values: &[f32], channels: usize) -> Vec<f32> {
    let statistics = statistics(values, channels);
    let count = (values.len() / channels) as f32;
    statistics.mean.into_iter().map(|mean| mean * count).collect()
}

/// One block's number of pixels, and each channel's mean and sum of squared differences from it.
struct BlockStatistics {
    count: f64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

fn block_statistics(block: &[f32], channels: usize) -> BlockStatistics {
    let count = (block.len() / channels) as f64;
    let mut sums = zeros(channels);
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in block.chunks(sums.len()) {
                for (sum, &x) in sums.iter_mut().zip(row) {
                    *sum += x;
                }
            }
        },
    );
    let means: Vec<f32> =
        folded(&sums, channels).into_iter().map(|sum| (sum / count) as f32).collect();
    let centre = repeated(means.iter().copied(), channels);
    sums.fill(0.0);
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in block.chunks(sums.len()) {
                for ((sum, &x), &mean) in sums.iter_mut().zip(row).zip(&centre) {
                    *sum += (x - mean) * (x - mean);
                }
            }
        },
    );
    let mean = means.into_iter().map(f64::from).collect();
    BlockStatistics { count, mean, squares: folded(&sums, channels) }
}
