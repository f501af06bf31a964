//! Batch normalisation with what follows it, the residual sum and ReLU, in two sweeps over the values.

use pulp::Arch;
use rayon::prelude::*;

/// Numbers of a task. Two sweeps over so many read memory once, the second time from cache.
const BLOCK: usize = 16 * 1024;
/// The least period of the coefficients: long enough for the vector loops inside it.
const PERIOD: usize = 256;

/// Mean and biased variance of each channel of `[pixels, channels]`.
pub(crate) struct Statistics {
    pub(crate) mean: Vec<f32>,
    pub(crate) variance: Vec<f32>,
}

/// What each channel is normalised with.
pub(crate) struct Normalisation<'a> {
    pub(crate) mean: &'a [f32],
    pub(crate) variance: &'a [f32],
    pub(crate) gamma: &'a [f32],
    pub(crate) beta: &'a [f32],
    pub(crate) epsilon: f64,
    /// Whether negative results become zero.
    pub(crate) relu: bool,
}

/// What the gradient of the normalised values is computed from.
pub(crate) struct Saved<'a> {
    /// What was normalised, `[pixels, channels]`.
    pub(crate) input: &'a [f32],
    /// The output, if a residual was added: its sign says which values ReLU let pass.
    pub(crate) output: Option<&'a [f32]>,
}

/// Gradients of gamma and beta.
pub(crate) struct ParameterGradients {
    pub(crate) gamma: Vec<f32>,
    pub(crate) beta: Vec<f32>,
}

/// How often channels are repeated, so that a vector loop runs over one long row of coefficients.
fn period(channels: usize) -> usize {
    channels * PERIOD.div_ceil(channels)
}

fn block(channels: usize) -> usize {
    period(channels) * (BLOCK / period(channels)).max(1)
}

fn repeated(of_channels: impl Iterator<Item = f32> + Clone, channels: usize) -> Vec<f32> {
    of_channels.cycle().take(period(channels)).collect()
}

/// Sums what was added up over a period, channel by channel.
fn folded(sums: &[f32], channels: usize) -> Vec<f64> {
    let mut folded = vec![0.0; channels];
    for row in sums.chunks_exact(channels) {
        for (slot, &sum) in folded.iter_mut().zip(row) {
            *slot += f64::from(sum);
        }
    }
    folded
}

/// The statistics of `values`, `[pixels, channels]`.
///
/// Each block's mean and centred squares, joined in f64 in the blocks' order (Chan et al. 1983): as exact
/// as two sweeps over memory, for one.
pub(crate) fn statistics(values: &[f32], channels: usize) -> Statistics {
    let of_blocks: Vec<(f64, Vec<f64>, Vec<f64>)> =
        values.par_chunks(block(channels)).map(|block| block_statistics(block, channels)).collect();
    let mut count = 0.0;
    let (mut mean, mut squares) = (vec![0.0; channels], vec![0.0; channels]);
    for (of_block, means, more) in of_blocks {
        let all = count + of_block;
        for c in 0..channels {
            let difference = means[c] - mean[c];
            mean[c] += difference * of_block / all;
            squares[c] += more[c] + difference * difference * count * of_block / all;
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

fn block_statistics(block: &[f32], channels: usize) -> (f64, Vec<f64>, Vec<f64>) {
    let count = (block.len() / channels) as f64;
    let mut sums = vec![0.0_f32; period(channels)];
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
    (count, means.into_iter().map(f64::from).collect(), folded(&sums, channels))
}

impl Normalisation<'_> {
    fn channels(&self) -> usize {
        self.mean.len()
    }

    fn inverse_deviation(&self) -> impl Iterator<Item = f32> + Clone {
        self.variance.iter().map(|&v| 1.0 / (v + self.epsilon as f32).sqrt())
    }

    /// Repeated mean, gamma over the deviation, and beta.
    fn coefficients(&self) -> [Vec<f32>; 3] {
        let scale = self.inverse_deviation().zip(self.gamma).map(|(i, g)| i * g);
        [
            repeated(self.mean.iter().copied(), self.channels()),
            repeated(scale, self.channels()),
            repeated(self.beta.iter().copied(), self.channels()),
        ]
    }

    /// Normalises `input`, adds `residual`, and cuts off what is negative if so asked, into `output`.
    pub(crate) fn apply(&self, input: &[f32], residual: Option<&[f32]>, output: &mut [f32]) {
        let [mean, scale, beta] = self.coefficients();
        let block = block(self.channels());
        let relu = self.relu;
        output.par_chunks_mut(block).enumerate().for_each(|(index, output)| {
            let range = index * block..index * block + output.len();
            let input = &input[range.clone()];
            let residual = residual.map(|residual| &residual[range]);
            Arch::new().dispatch(
                #[inline(always)]
                || match (residual, relu) {
                    (Some(residual), true) => {
                        let values = output.chunks_mut(mean.len()).zip(input.chunks(mean.len()));
                        for ((output, input), residual) in values.zip(residual.chunks(mean.len())) {
                            let coefficients = mean.iter().zip(&scale).zip(&beta);
                            let values = output.iter_mut().zip(input).zip(residual);
                            for (((y, &x), &r), ((m, s), b)) in values.zip(coefficients) {
                                let z = (x - m) * s + b + r;
                                *y = if z <= 0.0 { 0.0 } else { z };
                            }
                        }
                    }
                    (Some(residual), false) => {
                        let values = output.chunks_mut(mean.len()).zip(input.chunks(mean.len()));
                        for ((output, input), residual) in values.zip(residual.chunks(mean.len())) {
                            let coefficients = mean.iter().zip(&scale).zip(&beta);
                            let values = output.iter_mut().zip(input).zip(residual);
                            for (((y, &x), &r), ((m, s), b)) in values.zip(coefficients) {
                                *y = (x - m) * s + b + r;
                            }
                        }
                    }
                    (None, true) => {
                        let values = output.chunks_mut(mean.len()).zip(input.chunks(mean.len()));
                        for (output, input) in values {
                            let coefficients = mean.iter().zip(&scale).zip(&beta);
                            for ((y, &x), ((m, s), b)) in
                                output.iter_mut().zip(input).zip(coefficients)
                            {
                                let z = (x - m) * s + b;
                                *y = if z <= 0.0 { 0.0 } else { z };
                            }
                        }
                    }
                    (None, false) => {
                        let values = output.chunks_mut(mean.len()).zip(input.chunks(mean.len()));
                        for (output, input) in values {
                            let coefficients = mean.iter().zip(&scale).zip(&beta);
                            for ((y, &x), ((m, s), b)) in
                                output.iter_mut().zip(input).zip(coefficients)
                            {
                                *y = (x - m) * s + b;
                            }
                        }
                    }
                },
            );
        });
    }

    /// The gradients, given that of the output: `gradient` becomes that of the sum before ReLU, which is the
    /// residual's; what comes back is that of gamma and beta.
    pub(crate) fn parameter_gradients(
        &self,
        saved: &Saved<'_>,
        gradient: &mut [f32],
    ) -> ParameterGradients {
        let channels = self.channels();
        let [mean, scale, beta] = self.coefficients();
        let block = block(channels);
        let relu = self.relu;
        let sums: Vec<_> = gradient
            .par_chunks_mut(block)
            .enumerate()
            .map(|(index, gradient)| {
                let range = index * block..index * block + gradient.len();
                let input = &saved.input[range.clone()];
                let period = mean.len();
                if relu {
                    match saved.output {
                        Some(output) => cut_by_output(gradient, &output[range]),
                        None => cut_by_input(gradient, input, [&mean, &scale, &beta]),
                    }
                }
                let (mut of_gamma, mut of_beta) = (vec![0.0_f32; period], vec![0.0_f32; period]);
                Arch::new().dispatch(
                    #[inline(always)]
                    || {
                        for (gradient, input) in gradient.chunks(period).zip(input.chunks(period)) {
                            let sums = of_gamma.iter_mut().zip(&mut of_beta).zip(&mean);
                            for ((&g, &x), ((of_gamma, of_beta), m)) in
                                gradient.iter().zip(input).zip(sums)
                            {
                                *of_gamma += g * (x - m);
                                *of_beta += g;
                            }
                        }
                    },
                );
                (folded(&of_gamma, channels), folded(&of_beta, channels))
            })
            .collect();
        let (mut gamma, mut beta) = (vec![0.0; channels], vec![0.0; channels]);
        for (of_gamma, of_beta) in sums {
            for c in 0..channels {
                gamma[c] += of_gamma[c];
                beta[c] += of_beta[c];
            }
        }
        let deviations = self.inverse_deviation();
        ParameterGradients {
            gamma: gamma.iter().zip(deviations).map(|(g, d)| (g * f64::from(d)) as f32).collect(),
            beta: beta.iter().map(|&b| b as f32).collect(),
        }
    }

    /// The gradient of the input from that of the normalised values, in its place; statistics of the batch
    /// depend on the input, too.
    pub(crate) fn input_gradient(
        &self,
        parameters: &ParameterGradients,
        input: &[f32],
        gradient: &mut [f32],
    ) {
        let channels = self.channels();
        let count = (input.len() / channels) as f32;
        let [mean, scale, _] = self.coefficients();
        let of_mean = parameters.beta.iter().map(|b| b / count);
        let of_mean = repeated(of_mean, channels);
        let of_deviation = parameters.gamma.iter().zip(self.inverse_deviation());
        let of_deviation = repeated(of_deviation.map(|(g, d)| g / count * d), channels);
        let block = block(channels);
        gradient.par_chunks_mut(block).enumerate().for_each(|(index, gradient)| {
            let input = &input[index * block..][..gradient.len()];
            let period = mean.len();
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    for (gradient, input) in gradient.chunks_mut(period).zip(input.chunks(period)) {
                        let coefficients = mean.iter().zip(&scale).zip(&of_mean).zip(&of_deviation);
                        for ((g, &x), (((m, s), of_mean), of_deviation)) in
                            gradient.iter_mut().zip(input).zip(coefficients)
                        {
                            *g = s * (*g - of_mean - (x - m) * of_deviation);
                        }
                    }
                },
            );
        });
    }
}

fn cut_by_output(gradient: &mut [f32], output: &[f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (g, &y) in gradient.iter_mut().zip(output) {
                *g = if y <= 0.0 { 0.0 } else { *g };
            }
        },
    );
}

fn cut_by_input(gradient: &mut [f32], input: &[f32], coefficients: [&[f32]; 3]) {
    let [mean, scale, beta] = coefficients;
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (gradient, input) in gradient.chunks_mut(mean.len()).zip(input.chunks(mean.len())) {
                let coefficients = mean.iter().zip(scale).zip(beta);
                for ((g, &x), ((m, s), b)) in gradient.iter_mut().zip(input).zip(coefficients) {
                    *g = if (x - m) * s + b <= 0.0 { 0.0 } else { *g };
                }
            }
        },
    );
}
