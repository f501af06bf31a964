//! GELU.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use super::order::{from_values, is_readable, owned, owned_values, recycle, values};
use crate::kernels;
use crate::ops::{Tracked, node, wanted};

/// Whether the kernels can take GELU of `x`.
pub(crate) fn supports_gelu<const D: usize>(x: &Tensor<D>) -> bool {
    is_readable(x)
}

/// GELU of `x`.
pub(crate) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    Tensor::from_dispatch(<Dispatch as GeluBackend>::exact_gelu(x.into_dispatch()))
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait GeluBackend: Backend {
    /// GELU by the error function.
    fn exact_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl GeluBackend for Flex {
    fn exact_gelu(x: FlexTensor) -> FlexTensor {
        let output = from_values(kernels::activated(&values(&x)), x.shape());
        recycle(x);
        output
    }
}

/// Turns `gradient` from that of GELU into that of its input, `x`.
pub(super) fn gelu_gradient(x: &FlexTensor, gradient: FlexTensor) -> FlexTensor {
    let mut gradient = owned(gradient);
    kernels::activation_gradient(&values(x), owned_values(&mut gradient));
    gradient
}

#[derive(Debug)]
struct Gelu;

impl Backward<Flex, 1> for Gelu {
    /// The input.
    type State = NodeId;

    fn backward(self, ops: Ops<NodeId, 1>, grads: &mut Gradients, saved: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let x = saved.retrieve_node_output::<FlexTensor>(ops.state);
        if let Some(id) = wanted(&ops, 0) {
            grads.register::<Flex>(id, gelu_gradient(&x, gradient));
        }
        recycle(x);
    }
}

impl<C: CheckpointStrategy> GeluBackend for Autodiff<Flex, C> {
    fn exact_gelu(x: Tracked<Flex, C>) -> Tracked<Flex, C> {
        let output = Flex::exact_gelu(x.primitive().clone());
        node::<_, Flex, C, 1>(Gelu, [x.node()], output, |prepared, _| prepared.checkpoint(&x))
    }
}
