//! Channels-last order.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::order::{Order, in_order, is_readable};
use crate::ops::{Tracked, node, wanted};

/// Whether the kernels can move `images`.
pub(crate) fn supports_channels_last(images: &Tensor<4>) -> bool {
    is_readable(images)
}

/// The same images, in channels-last order.
pub(crate) fn channels_last(images: Tensor<4>) -> Tensor<4> {
    let images = images.into_dispatch();
    Tensor::from_dispatch(<Dispatch as ChannelsLastBackend>::to_channels_last(images))
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait ChannelsLastBackend: Backend {
    /// The same tensor, in channels-last order.
    fn to_channels_last(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl ChannelsLastBackend for Flex {
    fn to_channels_last(x: FlexTensor) -> FlexTensor {
        in_order(x, Order::ChannelsLast)
    }
}

#[derive(Debug)]
struct ToChannelsLast;

impl Backward<Flex, 1> for ToChannelsLast {
    type State = ();

    fn backward(self, ops: Ops<(), 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        if let Some(id) = wanted(&ops, 0) {
            grads.register::<Flex>(id, gradient);
        }
    }
}

impl<C: CheckpointStrategy> ChannelsLastBackend for Autodiff<Flex, C> {
    fn to_channels_last(x: Tracked<Flex, C>) -> Tracked<Flex, C> {
        let parents = [x.node()];
        let output = Flex::to_channels_last(x.into_primitive());
        node::<_, Flex, C, 1>(ToChannelsLast, parents, output, |_, _| ())
    }
}
