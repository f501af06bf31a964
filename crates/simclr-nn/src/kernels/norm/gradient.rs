//! The gradients of a normalisation with the statistics of the batch.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::blocks::{block, folded, repeated, zeros};
use super::function::{Function, with_function};
use super::normalisation::Normalisation;
use crate::activation::Activation;

/// Values of the forward pass that the gradients depend on.
pub(crate) struct Saved<'a> {
    /// What was normalised, `[pixels, channels]`.
    pub(crate) input: &'a [f32],
    /// The output, if a residual was added before ReLU: its sign says which values ReLU let pass.
    pub(crate) output: Option<&'a [f32]>,
}

/// Gradients of gamma and beta.
pub(crate) struct ParameterGradients {
    pub(crate) gamma: Vec<f32>,
    pub(crate) beta: Vec<f32>,
}

impl Normalisation<'_> {
    /// The gradients of gamma and beta, from `gradient`, the output's. `gradient` itself becomes the gradient of the sum
    /// before the activation, which is also the residual's.
    pub(crate) fn parameter_gradients(
        &self,
        saved: &Saved<'_>,
        gradient: &mut [f32],
    ) -> ParameterGradients {
        let channels = self.channels();
        let [mean, scale, beta] = self.coefficients();
        let block = block(channels);
        let activation = self.activation;
        let sums: Vec<_> = gradient
            .par_chunks_mut(block)
            .enumerate()
            .map(|(index, gradient)| {
                let range = index * block..index * block + gradient.len();
                let input = &saved.input[range.clone()];
                match saved.output {
                    _ if activation == Activation::Identity => {}
                    Some(output) => cut_by_output(gradient, &output[range]),
                    None => with_function!(activation, F => {
                        let function = PhantomData::<F>;
                        let coefficients = [&mean[..], &scale, &beta];
                        let gradient = &mut *gradient;
                        Arch::new().dispatch(Through { gradient, input, coefficients, function });
                    }),
                }
                block_sums(gradient, input, &mean, channels)
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

    /// Turns `gradient` from the gradient of the normalised values into the input's. The input also acts through the
    /// statistics of the batch.
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

/// Each channel's sums over a block: of the gradients times the centred values, and of the gradients.
fn block_sums(
    gradient: &[f32],
    input: &[f32],
    mean: &[f32],
    channels: usize,
) -> (Vec<f64>, Vec<f64>) {
    let period = mean.len();
    let (mut of_gamma, mut of_beta) = (zeros(channels), zeros(channels));
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (gradient, input) in gradient.chunks(period).zip(input.chunks(period)) {
                let sums = of_gamma.iter_mut().zip(&mut of_beta).zip(mean);
                for ((&g, &x), ((of_gamma, of_beta), m)) in gradient.iter().zip(input).zip(sums) {
                    *of_gamma += g * (x - m);
                    *of_beta += g;
                }
            }
        },
    );
    (folded(&of_gamma, channels), folded(&of_beta, channels))
}

/// Sets `gradient` to zero where ReLU gave zero.
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

/// Turns `gradient` into the gradient of the activation's input, which is computed again: cheaper than keeping it.
struct Through<'a, F> {
    gradient: &'a mut [f32],
    input: &'a [f32],
    /// Mean, scale and beta.
    coefficients: [&'a [f32]; 3],
    function: PhantomData<F>,
}

impl<F: Function> WithSimd for Through<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let [mean, scale, beta] = self.coefficients;
        let period = mean.len();
        for (gradient, input) in self.gradient.chunks_mut(period).zip(self.input.chunks(period)) {
            let coefficients = mean.iter().zip(scale).zip(beta);
            for ((g, &x), ((m, s), b)) in gradient.iter_mut().zip(input).zip(coefficients) {
                *g = F::gradient((x - m) * s + b, *g);
            }
        }
    }
}
