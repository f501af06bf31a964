//! The normalised values.

use pulp::Arch;
use rayon::prelude::*;

use super::blocks::block;
use super::normalisation::Normalisation;

impl Normalisation<'_> {
    /// Normalises `input`, adds `residual`, applies ReLU if `self.relu` says so, and writes the result to `output`.
    pub(crate) fn apply(&self, input: &[f32], residual: Option<&[f32]>, output: &mut [f32]) {
        let [mean, scale, beta] = self.coefficients();
        let block = block(self.channels());
        let relu = self.relu;
        output.par_chunks_mut(block).enumerate().for_each(|(index, output)| {
            let range = index * block..index * block + output.len();
            let input = &input[range.clone()];
            let residual = residual.map(|residual| &residual[range]);
            let coefficients = [&mean[..], &scale, &beta];
            Arch::new().dispatch(
                #[inline(always)]
                || match (residual, relu) {
                    (Some(residual), true) => {
                        normalise_add::<true>(output, input, residual, coefficients);
                    }
                    (Some(residual), false) => {
                        normalise_add::<false>(output, input, residual, coefficients);
                    }
                    (None, true) => normalise::<true>(output, input, coefficients),
                    (None, false) => normalise::<false>(output, input, coefficients),
                },
            );
        });
    }
}

#[inline(always)]
fn normalise<const RELU: bool>(
    output: &mut [f32],
    input: &[f32],
    [mean, scale, beta]: [&[f32]; 3],
) {
    for (output, input) in output.chunks_mut(mean.len()).zip(input.chunks(mean.len())) {
        let coefficients = mean.iter().zip(scale).zip(beta);
        for ((y, &x), ((m, s), b)) in output.iter_mut().zip(input).zip(coefficients) {
            *y = cut::<RELU>((x - m) * s + b);
        }
    }
}

#[inline(always)]
fn normalise_add<const RELU: bool>(
    output: &mut [f32],
    input: &[f32],
    residual: &[f32],
    [mean, scale, beta]: [&[f32]; 3],
) {
    let rows = output.chunks_mut(mean.len()).zip(input.chunks(mean.len()));
    for ((output, input), residual) in rows.zip(residual.chunks(mean.len())) {
        let coefficients = mean.iter().zip(scale).zip(beta);
        let values = output.iter_mut().zip(input).zip(residual);
        for (((y, &x), &r), ((m, s), b)) in values.zip(coefficients) {
            *y = cut::<RELU>((x - m) * s + b + r);
        }
    }
}

/// ReLU of `x` if `RELU`, else `x`. NaN stays.
#[inline(always)]
fn cut<const RELU: bool>(x: f32) -> f32 {
    if RELU && x <= 0.0 { 0.0 } else { x }
}
