//! Normalisation with given statistics.

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use super::order::{channels_last_values, from_channels_last, is_readable, order, recycle, values};
use crate::kernels::{Normalisation, take};
use crate::ops::{NormOptions, NormTensors, OptionalTensor};

/// Whether the kernels can normalise `input`.
pub(crate) fn supports_norm<const D: usize>(
    input: &Tensor<D>,
    residual: Option<&Tensor<D>>,
) -> bool {
    input.shape().num_elements() > 0 && is_readable(input) && residual.is_none_or(is_readable)
}

/// `input` normalised with gamma, beta, mean and variance.
pub(crate) fn normalise<const D: usize>(
    input: Tensor<D>,
    of_channels: [Tensor<1>; 4],
    residual: Option<Tensor<D>>,
    options: NormOptions,
) -> Tensor<D> {
    let input = input.into_dispatch();
    let [gamma, beta, mean, variance] = of_channels.map(Tensor::into_dispatch);
    let tensors = NormTensors { gamma, beta, mean, variance };
    let residual = OptionalTensor::new(residual);
    let output = <Dispatch as NormaliseBackend>::normalise(input, tensors, residual, options);
    Tensor::from_dispatch(output)
}

#[backend_extension(Flex)]
pub(crate) trait NormaliseBackend: Backend {
    /// `x`, `[n, c, ...]`, normalised with `tensors`, plus `residual`, and then the activation of `options`.
    fn normalise(
        x: FloatTensor<Self>,
        #[extension_type] tensors: NormTensors<Self>,
        #[extension_type] residual: OptionalTensor<Self>,
        options: NormOptions,
    ) -> FloatTensor<Self>;
}

impl NormaliseBackend for Flex {
    fn normalise(
        x: FlexTensor,
        tensors: NormTensors<Self>,
        residual: OptionalTensor<Self>,
        options: NormOptions,
    ) -> FlexTensor {
        let output = tensors.apply(&x, &channels_last_values(&x), residual.as_ref(), options);
        recycle(x);
        if let Some(residual) = residual.into_option() {
            recycle(residual);
        }
        output
    }
}

impl NormTensors<Flex> {
    /// Calls `work` with the tensors in the form that the kernels take.
    pub(super) fn with<T>(
        &self,
        options: NormOptions,
        work: impl FnOnce(&Normalisation<'_>) -> T,
    ) -> T {
        work(&Normalisation {
            mean: &values(&self.mean),
            variance: &values(&self.variance),
            gamma: &values(&self.gamma),
            beta: &values(&self.beta),
            epsilon: options.epsilon,
            activation: options.activation,
        })
    }

    /// Normalises `x`, whose numbers in channels-last order are `input`.
    pub(super) fn apply(
        &self,
        x: &FlexTensor,
        input: &[f32],
        residual: Option<&FlexTensor>,
        options: NormOptions,
    ) -> FlexTensor {
        let residual = residual.map(channels_last_values);
        let mut output = take(input.len());
        self.with(options, |norm| norm.apply(input, residual.as_deref(), &mut output));
        from_channels_last(output, x.shape(), order(x))
    }
}
