//! The convolution.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::ops::ModuleOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Shape, Tensor};

use super::order::{
    Order, channels_last_values, from_channels_last, from_values, is_readable, order, recycle,
    values,
};
use crate::kernels::{self, Geometry};
use crate::ops::OptionalTensor;
use crate::ops::{Tracked, node, wanted};

/// Whether the kernels can do this convolution. What Burn refuses is not supported, so that Burn's message appears.
pub(crate) fn supports_conv2d(
    images: &Tensor<4>,
    weight: &Tensor<4>,
    bias: Option<&Tensor<1>>,
    options: &ConvOptions<2>,
) -> bool {
    let geometry = Geometry::new(images.dims(), weight.dims(), options);
    let has_kernels = options.groups == 1 || geometry.is_depthwise() && options.dilation == [1, 1];
    has_kernels
        && images.dims()[1] == weight.dims()[1] * options.groups
        && is_readable(images)
        && is_readable(weight)
        && bias.is_none_or(|bias| is_readable(bias) && bias.dims()[0] == weight.dims()[0])
        && geometry.is_proper()
}

/// `images` convolved with `weight`, plus `bias`.
pub(crate) fn conv2d(
    images: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    options: ConvOptions<2>,
) -> Tensor<4> {
    let (images, weight) = (images.into_dispatch(), weight.into_dispatch());
    let bias = OptionalTensor::new(bias);
    let output = <Dispatch as ConvolutionBackend>::convolution(images, weight, bias, options);
    Tensor::from_dispatch(output)
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait ConvolutionBackend: Backend {
    /// `x`, `[n, c, h, w]`, convolved with `weight`, `[o, c, kh, kw]`, plus `bias`, `[o]`.
    fn convolution(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: OptionalTensor<Self>,
        options: ConvOptions<2>,
    ) -> FloatTensor<Self>;
}

impl ConvolutionBackend for Flex {
    fn convolution(
        x: FlexTensor,
        weight: FlexTensor,
        bias: OptionalTensor<Self>,
        options: ConvOptions<2>,
    ) -> FlexTensor {
        let output = convolve(&x, &weight, bias.as_ref(), &options);
        recycle(x);
        output
    }
}

/// The sizes of a convolution of `x` with `weight`.
fn geometry(x: &FlexTensor, weight: &FlexTensor, options: &ConvOptions<2>) -> Geometry {
    Geometry::new(x.shape().dims(), weight.shape().dims(), options)
}

fn convolve(
    x: &FlexTensor,
    weight: &FlexTensor,
    bias: Option<&FlexTensor>,
    options: &ConvOptions<2>,
) -> FlexTensor {
    let geometry = geometry(x, weight, options);
    let as_it_lies = geometry.is_pointwise() || geometry.is_depthwise();
    if as_it_lies && order(x) == Order::ChannelsFirst {
        // One matrix product for each image as it lies in memory, or rows of one channel. Moving the images would cost
        // more.
        return Flex::conv2d(x.clone(), weight.clone(), bias.cloned(), options.clone());
    }
    let bias = bias.map(values);
    let result =
        kernels::conv2d(&geometry, &channels_last_values(x), &values(weight), bias.as_deref());
    let [height, width] = geometry.output();
    let shape = Shape::new([geometry.images, geometry.channels_out, height, width]);
    from_channels_last(result, shape, order(x))
}

/// The gradient of a convolution's input, from `gradient`, the output's.
fn input_gradient(
    x: &FlexTensor,
    weight: &FlexTensor,
    gradient: &FlexTensor,
    options: &ConvOptions<2>,
) -> FlexTensor {
    let geometry = &geometry(x, weight, options);
    let as_it_lies =
        geometry.is_pointwise() || geometry.is_depthwise() || geometry.has_few_channels();
    if as_it_lies && order(gradient) == Order::ChannelsFirst {
        let (x, weight) = (x.clone(), weight.clone());
        return Flex::conv2d_x_backward(x, weight, gradient.clone(), options.clone());
    }
    let values =
        kernels::input_gradient(geometry, &values(weight), &channels_last_values(gradient));
    from_channels_last(values, x.shape(), order(x))
}

/// The gradient of a convolution's weights, from `gradient`, the output's.
fn weight_gradient(
    x: &FlexTensor,
    weight: &FlexTensor,
    gradient: &FlexTensor,
    options: &ConvOptions<2>,
) -> FlexTensor {
    let geometry = geometry(x, weight, options);
    let (x, gradient) = (channels_last_values(x), channels_last_values(gradient));
    from_values(kernels::weight_gradient(&geometry, &x, &gradient), weight.shape())
}

/// The gradient of a convolution's bias: the sum over images and pixels.
fn bias_gradient(gradient: &FlexTensor) -> FlexTensor {
    let channels = gradient.shape()[1];
    let sums = kernels::channel_sums(&channels_last_values(gradient), channels);
    from_values(sums, Shape::new([channels]))
}

/// A node whose parents are the input, the weights and, if there is one, the bias.
#[derive(Debug)]
struct Convolution;

const INPUT: usize = 0;
const WEIGHT: usize = 1;
const BIAS: usize = 2;

/// Input and weights: the gradient of each needs the other.
#[derive(Clone, Debug)]
struct ConvolutionState {
    x: NodeId,
    weight: NodeId,
    options: ConvOptions<2>,
}

impl<const N: usize> Backward<Flex, N> for Convolution {
    type State = ConvolutionState;

    fn backward(
        self,
        ops: Ops<ConvolutionState, N>,
        grads: &mut Gradients,
        saved: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let ConvolutionState { x, weight, options } = &ops.state;
        let x = saved.retrieve_node_output::<FlexTensor>(*x);
        let weight = saved.retrieve_node_output::<FlexTensor>(*weight);
        if let Some(id) = wanted(&ops, WEIGHT) {
            grads.register::<Flex>(id, weight_gradient(&x, &weight, &gradient, options));
        }
        if let Some(id) = wanted(&ops, INPUT) {
            grads.register::<Flex>(id, input_gradient(&x, &weight, &gradient, options));
        }
        if let Some(id) = wanted(&ops, BIAS) {
            grads.register::<Flex>(id, bias_gradient(&gradient));
        }
        recycle(gradient);
        recycle(x);
    }
}

impl<C: CheckpointStrategy> ConvolutionBackend for Autodiff<Flex, C> {
    fn convolution(
        x: Tracked<Flex, C>,
        weight: Tracked<Flex, C>,
        bias: OptionalTensor<Self>,
        options: ConvOptions<2>,
    ) -> Tracked<Flex, C> {
        match bias.as_ref() {
            None => tracked::<C, 2>([x.node(), weight.node()], &x, &weight, None, options),
            Some(bias) => {
                let parents = [x.node(), weight.node(), bias.node()];
                tracked::<C, 3>(parents, &x, &weight, Some(bias.primitive()), options)
            }
        }
    }
}

fn tracked<C: CheckpointStrategy, const N: usize>(
    parents: [NodeGuard; N],
    x: &Tracked<Flex, C>,
    weight: &Tracked<Flex, C>,
    bias: Option<&FlexTensor>,
    options: ConvOptions<2>,
) -> Tracked<Flex, C> {
    let output = convolve(x.primitive(), weight.primitive(), bias, &options);
    node::<_, Flex, C, N>(Convolution, parents, output, |prepared, _| {
        let (x, weight) = (prepared.checkpoint(x), prepared.checkpoint(weight));
        ConvolutionState { x, weight, options }
    })
}
