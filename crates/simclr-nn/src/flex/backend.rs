//! The operations themselves, on plain tensors of flex.

use burn::backend::flex::FlexTensor;
use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, TensorMetadata, backend_extension};
use burn::tensor::Shape;
use burn::tensor::ops::ConvOptions;

use super::image::{
    Order, channels_last_values, channels_last_values_mut, from_channels_last, from_values, order,
    owned_channels_last, values,
};
use crate::kernels::{
    self, Geometry, Normalisation, ParameterGradients, Saved, Statistics, Windows,
};

/// What differs between normalisations, besides their tensors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NormOptions {
    /// Added to the variance.
    pub(crate) epsilon: f64,
    /// Whether negative results become zero.
    pub(crate) relu: bool,
}

/// The operations of a convolutional network that have kernels of their own.
///
/// Callers see to it that the tensors are on flex and f32, see [`takes`](super::takes).
#[backend_extension(Autodiff, Flex)]
pub(crate) trait ConvNetBackend: Backend {
    /// `[n, c, h, w]` convolved with `[o, c, kh, kw]`.
    fn convolution(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self>;

    /// [`convolution`](Self::convolution) plus `bias`, `[o]`.
    fn convolution_with_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self>;

    /// `[n, c, ...]` normalised with the statistics of the batch: the output, mean and biased variance.
    fn batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        options: NormOptions,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// [`batch_norm`](Self::batch_norm) plus `residual`, before ReLU.
    fn batch_norm_add(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        options: NormOptions,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// The largest value of each window of `[n, c, h, w]`, in channels-last order.
    fn largest(
        x: FloatTensor<Self>,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self>;

    /// The same tensor in channels-last order.
    fn to_channels_last(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// The operations of a network that doesn't learn.
#[backend_extension(Flex)]
pub(crate) trait InferenceBackend: Backend {
    /// `[n, c, ...]` normalised with given statistics.
    fn normalise(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        options: NormOptions,
    ) -> FloatTensor<Self>;

    /// [`normalise`](Self::normalise) plus `residual`, before ReLU.
    fn normalise_add(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        options: NormOptions,
    ) -> FloatTensor<Self>;
}

/// The sizes of a convolution of `x` with `weight`.
pub(super) fn geometry(x: &FlexTensor, weight: &FlexTensor, options: &ConvOptions<2>) -> Geometry {
    Geometry::new(x.shape().dims(), weight.shape().dims(), options)
}

fn convolve(
    x: &FlexTensor,
    weight: &FlexTensor,
    bias: Option<&FlexTensor>,
    options: &ConvOptions<2>,
) -> FlexTensor {
    let geometry = geometry(x, weight, options);
    if geometry.is_pointwise() && order(x) == Order::ChannelsFirst {
        // One matrix product an image, in the order it lies in: moving it would cost more.
        return Flex::conv2d(x.clone(), weight.clone(), bias.cloned(), options.clone());
    }
    let bias = bias.map(values);
    let result =
        kernels::conv2d(&geometry, &channels_last_values(x), &values(weight), bias.as_deref());
    let [height, width] = geometry.output();
    let shape = Shape::new([geometry.images, geometry.channels_out, height, width]);
    from_channels_last(result, shape, order(x))
}

/// The gradient of a convolution's input, from `gradient`, that of its output.
pub(super) fn input_gradient(
    x: &FlexTensor,
    weight: &FlexTensor,
    gradient: &FlexTensor,
    options: &ConvOptions<2>,
) -> FlexTensor {
    let geometry = &geometry(x, weight, options);
    let as_it_lies = geometry.is_pointwise() || geometry.has_few_channels();
    if as_it_lies && order(gradient) == Order::ChannelsFirst {
        let (x, weight) = (x.clone(), weight.clone());
        return Flex::conv2d_x_backward(x, weight, gradient.clone(), options.clone());
    }
    let values =
        kernels::input_gradient(geometry, &values(weight), &channels_last_values(gradient));
    let [height, width] = geometry.input;
    let shape = Shape::new([geometry.images, geometry.channels_in, height, width]);
    from_channels_last(values, shape, order(x))
}

/// The gradient of a convolution's weights, from `gradient`, that of its output.
pub(super) fn weight_gradient(
    geometry: &Geometry,
    x: &FlexTensor,
    gradient: &FlexTensor,
) -> FlexTensor {
    let (x, gradient) = (channels_last_values(x), channels_last_values(gradient));
    let Geometry { channels_out, channels_in, kernel: [height, width], .. } = *geometry;
    let shape = Shape::new([channels_out, channels_in, height, width]);
    from_values(kernels::weight_gradient(geometry, &x, &gradient), shape)
}

/// The gradient of a convolution's bias: the sum over images and pixels.
pub(super) fn bias_gradient(gradient: &FlexTensor) -> FlexTensor {
    let channels = gradient.shape()[1];
    let sums = kernels::channel_sums(&channels_last_values(gradient), channels);
    from_values(sums, Shape::new([channels]))
}

/// The parameters and statistics of a normalisation.
#[derive(Clone, Debug)]
pub(super) struct NormTensors {
    pub(super) gamma: FlexTensor,
    pub(super) beta: FlexTensor,
    pub(super) mean: FlexTensor,
    pub(super) variance: FlexTensor,
}

impl NormTensors {
    fn with<T>(&self, options: NormOptions, work: impl FnOnce(&Normalisation<'_>) -> T) -> T {
        work(&Normalisation {
            mean: &values(&self.mean),
            variance: &values(&self.variance),
            gamma: &values(&self.gamma),
            beta: &values(&self.beta),
            epsilon: options.epsilon,
            relu: options.relu,
        })
    }

    /// Normalises `x`, whose numbers in channels-last order are `input`.
    fn apply(
        &self,
        x: &FlexTensor,
        input: &[f32],
        residual: Option<&FlexTensor>,
        options: NormOptions,
    ) -> FlexTensor {
        let residual = residual.map(channels_last_values);
        let mut output = vec![0.0; input.len()];
        self.with(options, |norm| norm.apply(input, residual.as_deref(), &mut output));
        from_channels_last(output, x.shape(), order(x))
    }
}

/// The output of a normalisation with the statistics of the batch, and what it was normalised with.
pub(super) fn normalise_batch(
    x: &FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    residual: Option<&FlexTensor>,
    options: NormOptions,
) -> (FlexTensor, NormTensors) {
    let channels = x.shape()[1];
    let input = channels_last_values(x);
    let Statistics { mean, variance } = kernels::statistics(&input, channels);
    let of_channels = |values| from_values(values, Shape::new([channels]));
    let tensors =
        NormTensors { gamma, beta, mean: of_channels(mean), variance: of_channels(variance) };
    (tensors.apply(x, &input, residual, options), tensors)
}

/// Gradients of a normalisation.
pub(super) struct NormGradients {
    pub(super) x: Option<FlexTensor>,
    pub(super) gamma: FlexTensor,
    pub(super) beta: FlexTensor,
    pub(super) residual: Option<FlexTensor>,
}

/// The gradients of [`normalise_batch`]; those of `x` and of the residual only if wanted.
pub(super) fn normalise_batch_backward(
    x: &FlexTensor,
    output: Option<&FlexTensor>,
    tensors: &NormTensors,
    gradient: FlexTensor,
    wanted: NormWanted,
    options: NormOptions,
) -> NormGradients {
    let (shape, channels) = (x.shape(), x.shape()[1]);
    let input = channels_last_values(x);
    let output = output.map(channels_last_values);
    let mut gradient = owned_channels_last(gradient);
    tensors.with(options, |norm| {
        let saved = Saved { input: &input, output: output.as_deref() };
        let parameters = norm.parameter_gradients(&saved, channels_last_values_mut(&mut gradient));
        let residual = wanted.residual.then(|| gradient.clone());
        let x = wanted.x.then(|| {
            // In place, unless the residual's gradient is the same tensor.
            let mut of_x = owned_channels_last(gradient);
            norm.input_gradient(&parameters, &input, channels_last_values_mut(&mut of_x));
            match order(x) {
                Order::ChannelsLast => of_x,
                Order::ChannelsFirst => {
                    let values = channels_last_values(&of_x).into_owned();
                    from_channels_last(values, shape, Order::ChannelsFirst)
                }
            }
        });
        let of_channels = |values| from_values(values, Shape::new([channels]));
        let ParameterGradients { gamma, beta } = parameters;
        NormGradients { x, gamma: of_channels(gamma), beta: of_channels(beta), residual }
    })
}

/// The maxima of windows, and what their gradient needs.
pub(super) struct Pooled {
    pub(super) output: FlexTensor,
    pub(super) windows: Windows,
    /// Where in its window each maximum was found.
    pub(super) found: Vec<u8>,
}

pub(super) fn pool(
    x: &FlexTensor,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Pooled {
    let [images, channels, height, width] = x.shape().dims();
    let windows = Windows { images, input: [height, width], channels, kernel, stride, padding };
    let (values, found) = kernels::maxima(&windows, &channels_last_values(x));
    let [height, width] = windows.output();
    let shape = Shape::new([images, channels, height, width]);
    Pooled { output: from_channels_last(values, shape, Order::ChannelsLast), windows, found }
}

/// The gradient of what was pooled.
pub(super) fn pool_backward(windows: &Windows, found: &[u8], gradient: &FlexTensor) -> FlexTensor {
    let values = kernels::gradient_of_maxima(windows, found, &channels_last_values(gradient));
    let [height, width] = windows.input;
    let shape = Shape::new([windows.images, windows.channels, height, width]);
    from_channels_last(values, shape, Order::ChannelsLast)
}

/// Which gradients someone asked for.
#[derive(Clone, Copy)]
pub(super) struct NormWanted {
    pub(super) x: bool,
    pub(super) residual: bool,
}

impl ConvNetBackend for Flex {
    fn convolution(x: FlexTensor, weight: FlexTensor, options: ConvOptions<2>) -> FlexTensor {
        convolve(&x, &weight, None, &options)
    }

    fn convolution_with_bias(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        options: ConvOptions<2>,
    ) -> FlexTensor {
        convolve(&x, &weight, Some(&bias), &options)
    }

    fn batch_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        options: NormOptions,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let (output, tensors) = normalise_batch(&x, gamma, beta, None, options);
        (output, tensors.mean, tensors.variance)
    }

    fn batch_norm_add(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: FlexTensor,
        options: NormOptions,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let (output, tensors) = normalise_batch(&x, gamma, beta, Some(&residual), options);
        (output, tensors.mean, tensors.variance)
    }

    fn largest(
        x: FlexTensor,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FlexTensor {
        pool(&x, kernel, stride, padding).output
    }

    fn to_channels_last(x: FlexTensor) -> FlexTensor {
        match order(&x) {
            Order::ChannelsLast => x,
            Order::ChannelsFirst => {
                let values = channels_last_values(&x).into_owned();
                from_channels_last(values, x.shape(), Order::ChannelsLast)
            }
        }
    }
}

impl InferenceBackend for Flex {
    fn normalise(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        options: NormOptions,
    ) -> FlexTensor {
        let tensors = NormTensors { gamma, beta, mean, variance };
        tensors.apply(&x, &channels_last_values(&x), None, options)
    }

    fn normalise_add(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: FlexTensor,
        mean: FlexTensor,
        variance: FlexTensor,
        options: NormOptions,
    ) -> FlexTensor {
        let tensors = NormTensors { gamma, beta, mean, variance };
        tensors.apply(&x, &channels_last_values(&x), Some(&residual), options)
    }
}
