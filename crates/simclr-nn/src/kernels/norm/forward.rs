//! The normalised values.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::blocks::block;
use super::function::{Function, with_function};
use super::normalisation::Normalisation;

impl Normalisation<'_> {
    /// Normalises `input`, adds `residual`, applies the activation, and writes the result to `output`.
    pub(crate) fn apply(&self, input: &[f32], residual: Option<&[f32]>, output: &mut [f32]) {
        let [mean, scale, beta] = self.coefficients();
        let block = block(self.channels());
        let activation = self.activation;
        output.par_chunks_mut(block).enumerate().for_each(|(index, output)| {
            let range = index * block..index * block + output.len();
            let input = &input[range.clone()];
            let residual = residual.map(|residual| &residual[range]);
            let coefficients = [&mean[..], &scale, &beta];
            with_function!(activation, F => {
                let function = PhantomData::<F>;
                Arch::new().dispatch(Normalise { output, input, residual, coefficients, function });
            });
        });
    }
}

/// One block. It is a type and not a closure: the compiler leaves large closures outside of the vector code.
struct Normalise<'a, F> {
    output: &'a mut [f32],
    input: &'a [f32],
    residual: Option<&'a [f32]>,
    /// Mean, scale and beta.
    coefficients: [&'a [f32]; 3],
    function: PhantomData<F>,
}

impl<F: Function> WithSimd for Normalise<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { output, input, residual, coefficients, .. } = self;
        match residual {
            Some(residual) => normalise_add::<F>(output, input, residual, coefficients),
            None => normalise::<F>(output, input, coefficients),
        }
    }
}

#[inline(always)]
fn normalise<F: Function>(output: &mut [f32], input: &[f32], [mean, scale, beta]: [&[f32]; 3]) {
    for (output, input) in output.chunks_mut(mean.len()).zip(input.chunks(mean.len())) {
        let coefficients = mean.iter().zip(scale).zip(beta);
        for ((y, &x), ((m, s), b)) in output.iter_mut().zip(input).zip(coefficients) {
            *y = F::of((x - m) * s + b);
        }
    }
}

#[inline(always)]
fn normalise_add<F: Function>(
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
            *y = F::of((x - m) * s + b + r);
        }
    }
}
