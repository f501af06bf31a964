//! What follows a convolution, while its outputs are in cache.

use pulp::Arch;

use super::exp::sigmoid;
use crate::activation::Activation;

/// What is done with each output of a convolution after the sum over its products.
#[derive(Clone, Copy)]
pub(crate) struct Finish<'a> {
    /// One number for each channel, which is added.
    pub(crate) bias: Option<&'a [f32]>,
    /// One number for each output, which is added.
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) activation: Activation,
}

impl<'a> Finish<'a> {
    pub(crate) fn with_bias(bias: Option<&'a [f32]>) -> Self {
        Self { bias, residual: None, activation: Activation::Identity }
    }

    /// Finishes some pixels, `[pixels, channels]`. `before` is how many numbers of the whole output lie before them.
    pub(crate) fn apply(&self, pixels: &mut [f32], channels: usize, before: usize) {
        let Self { bias, residual, activation } = *self;
        let residual = residual.map(|residual| &residual[before..][..pixels.len()]);
        if bias.is_none() && residual.is_none() && activation == Activation::Identity {
            return;
        }
        Arch::new().dispatch(
            #[inline(always)]
            || match residual {
                None => {
                    for pixel in pixels.chunks_exact_mut(channels) {
                        add(pixel, bias);
                        activate(pixel, activation);
                    }
                }
                Some(residual) => {
                    let residuals = residual.chunks_exact(channels);
                    for (pixel, residual) in pixels.chunks_exact_mut(channels).zip(residuals) {
                        add(pixel, bias);
                        add(pixel, Some(residual));
                        activate(pixel, activation);
                    }
                }
            },
        );
    }
}

#[inline(always)]
fn add(values: &mut [f32], addends: Option<&[f32]>) {
    if let Some(addends) = addends {
        for (value, addend) in values.iter_mut().zip(addends) {
            *value += addend;
        }
    }
}

/// Applies the function. NaN stays.
#[inline(always)]
fn activate(values: &mut [f32], activation: Activation) {
    match activation {
        Activation::Identity => {}
        Activation::Relu => {
            for x in values {
                *x = if *x <= 0.0 { 0.0 } else { *x };
            }
        }
        Activation::Relu6 => {
            for x in values {
                let positive = if *x <= 0.0 { 0.0 } else { *x };
                *x = if positive > 6.0 { 6.0 } else { positive };
            }
        }
        Activation::Silu => {
            for x in values {
                *x *= sigmoid(*x);
            }
        }
    }
}
