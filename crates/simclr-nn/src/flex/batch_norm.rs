//! Normalisation with the statistics of the batch.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use burn::tensor::Shape;

use super::order::{
    channels_last_values, channels_last_values_mut, from_values, in_order, order,
    owned_channels_last,
};
use crate::kernels::{self, ParameterGradients, Saved, Statistics};
use crate::ops::{
    BatchNormBackend, BatchNormGradientBackend, KeptNorm, NormGradients, NormOptions, NormTensors,
    OptionalTensor, Passed, Wanted,
};

impl BatchNormBackend for Flex {
    fn batch_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: OptionalTensor<Self>,
        options: NormOptions,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let channels = x.shape()[1];
        let input = channels_last_values(&x);
        let Statistics { mean, variance } = kernels::statistics(&input, channels);
        let [mean, variance] = [mean, variance].map(of_channels);
        let tensors = NormTensors { gamma, beta, mean, variance };
        let output = tensors.apply(&x, &input, residual.as_ref(), options);
        (output, tensors.mean, tensors.variance)
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
        options: NormOptions,
    ) -> KeptNorm<Self> {
        let keeps_output = options.relu && residual.as_ref().is_some();
        let (output, mean, variance) = Self::batch_norm(x, gamma, beta, residual, options);
        let passed =
            if keeps_output { Passed::PositiveOutput(output.clone()) } else { Passed::Recomputed };
        KeptNorm { output, mean, variance, passed }
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
        let output = match &passed {
            Passed::PositiveOutput(output) => Some(channels_last_values(output)),
            _ => None,
        };
        let saved = Saved { input: &input, output: output.as_deref() };
        let mut gradient = owned_channels_last(gradient);
        tensors.with(options, |norm| {
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
        })
    }
}
