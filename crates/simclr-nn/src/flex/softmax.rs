//! Softmax over the last axis.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use super::order::{from_values, is_readable, owned, owned_values, values};
use crate::kernels;
use crate::ops::{Tracked, node, wanted};

/// Whether the kernels can take the softmax of `x`.
pub(crate) fn supports_softmax<const D: usize>(x: &Tensor<D>) -> bool {
    x.shape().num_elements() > 0 && is_readable(x)
}

/// Softmax of `x` over its last axis.
pub(crate) fn softmax<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as SoftmaxBackend>::softmax_of_rows(x.into_dispatch()))
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait SoftmaxBackend: Backend {
    /// Softmax over the last axis.
    fn softmax_of_rows(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl SoftmaxBackend for Flex {
    fn softmax_of_rows(x: FlexTensor) -> FlexTensor {
        from_values(kernels::softmax(&values(&x), last_axis(&x)), x.shape())
    }
}

/// The length of the last axis.
pub(super) fn last_axis(x: &FlexTensor) -> usize {
    let shape = x.shape();
    shape[shape.num_dims() - 1]
}

#[derive(Debug)]
struct Softmax;

impl Backward<Flex, 1> for Softmax {
    /// The output.
    type State = FlexTensor;

    fn backward(self, ops: Ops<FlexTensor, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        if let Some(id) = wanted(&ops, 0) {
            let output = &ops.state;
            let mut gradient = owned(gradient);
            let into = owned_values(&mut gradient);
            kernels::softmax_gradient(&values(output), into, last_axis(output));
            grads.register::<Flex>(id, gradient);
        }
    }
}

impl<C: CheckpointStrategy> SoftmaxBackend for Autodiff<Flex, C> {
    fn softmax_of_rows(x: Tracked<Flex, C>) -> Tracked<Flex, C> {
        let output = Flex::softmax_of_rows(x.primitive().clone());
        node::<_, Flex, C, 1>(Softmax, [x.node()], output, |_, output| output.clone())
    }
}
