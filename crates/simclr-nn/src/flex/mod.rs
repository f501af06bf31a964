//! The operations on Burn's flex backend, with their gradients.

mod autodiff;
mod backend;
mod image;

use burn::backend::{Dispatch, Flex};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Device, Tensor};

pub(crate) use self::backend::{ConvNetBackend, InferenceBackend, NormOptions};
use crate::kernels::{Geometry, Windows};

/// Whether the kernels can take `tensor`.
pub(crate) fn takes<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.dtype() == DType::F32 && tensor.device() == Device::flex()
}

/// Whether the kernels can do this convolution. What is left to Burn's own includes what it refuses.
pub(crate) fn convolves(
    images: &Tensor<4>,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
    options: &ConvOptions<2>,
) -> bool {
    options.groups == 1
        && images.dims()[1] == weight.dims()[1]
        && takes(images)
        && takes(weight)
        && bias.is_none_or(|bias| takes(bias) && bias.dims()[0] == weight.dims()[0])
        && Geometry::new(images.dims(), weight.dims(), options).is_proper()
}

/// Whether the kernels can take the maxima of these windows: if the images lie in channels-last order.
pub(crate) fn pools(
    images: &Tensor<4>,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> bool {
    let [n, channels, height, width] = images.dims();
    let windows = Windows { images: n, input: [height, width], channels, kernel, stride, padding };
    takes(images) && windows.are_proper() && lie_in_channels_last_order(images)
}

fn lie_in_channels_last_order(images: &Tensor<4>) -> bool {
    let inner = images.clone().without_autodiff();
    inner.try_into_primitive::<Flex>().is_ok_and(|x| image::order(&x) == image::Order::ChannelsLast)
}

/// Whether the kernels can normalise `input`.
pub(crate) fn normalises<const D: usize>(input: &Tensor<D>, residual: Option<&Tensor<D>>) -> bool {
    input.shape().num_elements() > 0 && takes(input) && residual.is_none_or(takes)
}

/// The output of a batch normalisation, its mean and its biased variance.
pub(crate) fn batch_norm<const D: usize>(
    input: Tensor<D>,
    parameters: [Tensor<1>; 2],
    residual: Option<Tensor<D>>,
    options: NormOptions,
) -> (Tensor<D>, Tensor<1>, Tensor<1>) {
    let input = input.into_dispatch();
    let [gamma, beta] = parameters.map(Tensor::into_dispatch);
    let (output, mean, variance) = match residual {
        None => <Dispatch as ConvNetBackend>::batch_norm(input, gamma, beta, options),
        Some(residual) => <Dispatch as ConvNetBackend>::batch_norm_add(
            input,
            gamma,
            beta,
            residual.into_dispatch(),
            options,
        ),
    };
    (Tensor::from_dispatch(output), Tensor::from_dispatch(mean), Tensor::from_dispatch(variance))
}

/// The output of a normalisation with gamma, beta, mean and variance.
pub(crate) fn normalise<const D: usize>(
    input: Tensor<D>,
    of_channels: [Tensor<1>; 4],
    residual: Option<Tensor<D>>,
    options: NormOptions,
) -> Tensor<D> {
    let input = input.into_dispatch();
    let [gamma, beta, mean, variance] = of_channels.map(Tensor::into_dispatch);
    Tensor::from_dispatch(match residual {
        None => {
            <Dispatch as InferenceBackend>::normalise(input, gamma, beta, mean, variance, options)
        }
        Some(residual) => <Dispatch as InferenceBackend>::normalise_add(
            input,
            gamma,
            beta,
            residual.into_dispatch(),
            mean,
            variance,
            options,
        ),
    })
}
