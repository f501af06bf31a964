//! Max-pooling.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use super::order::{Order, channels_last_values, from_channels_last, is_readable, order, recycle};
use crate::kernels::{self, PoolOptions, Windows};
use crate::ops::{Tracked, node, wanted};

/// Whether the kernels can take the maxima of these windows: only if the images lie in channels-last order.
pub(crate) fn supports_max_pool2d(images: &Tensor<4>, options: PoolOptions) -> bool {
    is_readable(images)
        && Windows::new(images.dims(), options).are_proper()
        && images
            .clone()
            .without_autodiff()
            .try_into_primitive::<Flex>()
            .is_ok_and(|images| order(&images) == Order::ChannelsLast)
}

/// The largest value of each window, in channels-last order.
pub(crate) fn max_pool2d(images: Tensor<4>, options: PoolOptions) -> Tensor<4> {
    let images = images.into_dispatch();
    Tensor::from_dispatch(<Dispatch as MaxPoolBackend>::max_pool(images, options))
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait MaxPoolBackend: Backend {
    /// The largest value of each window of `[n, c, h, w]`, in channels-last order.
    fn max_pool(x: FloatTensor<Self>, options: PoolOptions) -> FloatTensor<Self>;
}

impl MaxPoolBackend for Flex {
    fn max_pool(x: FlexTensor, options: PoolOptions) -> FlexTensor {
        let output = pool(&x, options).output;
        recycle(x);
        output
    }
}

/// The maxima of windows, and what their gradient needs.
struct Pooled {
    output: FlexTensor,
    windows: Windows,
    /// Where in its window each maximum was found.
    found: Vec<u8>,
}

fn pool(x: &FlexTensor, options: PoolOptions) -> Pooled {
    let windows = Windows::new(x.shape().dims(), options);
    let (values, found) = kernels::maxima(&windows, &channels_last_values(x));
    let shape = Shape::new(windows.output_shape());
    Pooled { output: from_channels_last(values, shape, Order::ChannelsLast), windows, found }
}

#[derive(Debug)]
struct MaxPool;

impl Backward<Flex, 1> for MaxPool {
    /// The windows, and where in each its maximum was found.
    type State = (Windows, Arc<[u8]>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        if let Some(id) = wanted(&ops, 0) {
            let (windows, found) = ops.state;
            let values = {
                let gradient = channels_last_values(&gradient);
                kernels::gradient_of_maxima(&windows, &found, &gradient)
            };
            recycle(gradient);
            let shape = Shape::new(windows.input_shape());
            grads.register::<Flex>(id, from_channels_last(values, shape, Order::ChannelsLast));
        }
    }
}

impl<C: CheckpointStrategy> MaxPoolBackend for Autodiff<Flex, C> {
    fn max_pool(x: Tracked<Flex, C>, options: PoolOptions) -> Tracked<Flex, C> {
        let Pooled { output, windows, found } = pool(x.primitive(), options);
        node::<_, Flex, C, 1>(MaxPool, [x.node()], output, |_, _| (windows, found.into()))
    }
}
