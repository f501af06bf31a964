//! Normalisation with the statistics of the batch.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::Shape;

use super::order::{
    channels_last_values, channels_last_values_mut, from_values, in_order, order,
    owned_channels_last, recycle, values,
};
use crate::activation::Activation;
use crate::kernels::{self, ParameterGradients, Saved, Statistics};
use crate::ops::{
    Averaging, BatchNormBackend, BatchNormGradientBackend, KeptNorm, NormGradients, NormOptions,
    NormTensors, OptionalTensor, Passed, Running, Wanted,
};

impl BatchNormBackend for Flex {
    fn batch_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: OptionalTensor<Self>,
        running: Running<Self>,
        options: NormOptions,
        averaging: Averaging,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let kept =
            Self::batch_norm_for_gradients(x, gamma, beta, residual, running, options, averaging);
        (kept.output, kept.running.mean, kept.running.variance)
    }
}

impl Running<Flex> {
    /// The statistics after a batch with this mean and biased variance.
    fn after(&self, mean: &[f32], variance: &[f32], averaging: Averaging) -> Self {
        let momentum = averaging.momentum as f32;
        let averaged = |old: &FlexTensor, of_batch: &[f32], factor: f32| {
            let old = values(old);
            let new = old.iter().zip(of_batch);
            of_channels(
                new.map(|(old, new)| old * (1.0 - momentum) + new * factor * momentum).collect(),
            )
        };
        Self {
            mean: averaged(&self.mean, mean, 1.0),
            variance: averaged(&self.variance, variance, averaging.unbiasing as f32),
        }
    }
}

fn of_channels(values: Vec<f32>) -> FlexTensor {
    let channels = values.len();
    from_values(values, Shape::new([channels]))
}

impl BatchNormGradientBackend for Flex {
    fn batch_norm_for_gradients(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: OptionalTensor<Self>,
        running: Running<Self>,
        options: NormOptions,
        averaging: Averaging,
    ) -> KeptNorm<Self> {
        let keeps_output =
            options.activation != Activation::Identity && residual.as_ref().is_some();
        let channels = x.shape()[1];
        let input = channels_last_values(&x);
        let Statistics { mean, variance } = kernels::statistics(&input, channels);
        let running = running.after(&mean, &variance, averaging);
        let [mean, variance] = [mean, variance].map(of_channels);
        let tensors = NormTensors { gamma, beta, mean, variance };
        let output = tensors.apply(&x, &input, residual.as_ref(), options);
        let NormTensors { mean, variance, .. } = tensors;
        let passed =
            if keeps_output { Passed::PositiveOutput(output.clone()) } else { Passed::Recomputed };
        KeptNorm { output, mean, variance, running, passed }
    }

    fn batch_norm_gradients(
        x: FlexTensor,
        tensors: NormTensors<Self>,
        passed: Passed<Self>,
        gradient: FlexTensor,
        options: NormOptions,
        wanted: Wanted,
    ) -> NormGradients<Self> {
        let input = channels_last_values(&x);
        let output = if let Passed::PositiveOutput(output) = &passed {
            Some(channels_last_values(output))
        } else {
            None
        };
        let saved = Saved { input: &input, output: output.as_deref() };
        let mut gradient = owned_channels_last(gradient);
        let gradients = tensors.with(options, |norm| {
            let parameters =
                norm.parameter_gradients(&saved, channels_last_values_mut(&mut gradient));
            let residual = wanted.residual.then(|| gradient.clone());
            let of_x = wanted.input.then(|| {
                // In place, unless the residual's gradient is the same tensor.
                let mut of_x = owned_channels_last(gradient);
                norm.input_gradient(&parameters, &input, channels_last_values_mut(&mut of_x));
                in_order(of_x, order(&x))
            });
            let ParameterGradients { gamma, beta } = parameters;
            NormGradients {
                input: of_x.into(),
                residual: residual.into(),
                gamma: of_channels(gamma),
                beta: of_channels(beta),
            }
        });
        drop(input);
        recycle(x);
        gradients
    }
}
