//! Multi-head self-attention.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use super::order::{from_values, is_readable, recycle, values};
use crate::kernels::{self, AttentionSizes, Normaliser};
use crate::ops::{Tracked, node, wanted};

/// Whether the kernels can attend.
pub(crate) fn supports_attention(projected: &Tensor<3>) -> bool {
    projected.shape().num_elements() > 0 && is_readable(projected)
}

/// The attention of `heads` heads over queries, keys and values.
pub(crate) fn attention(projected: Tensor<3>, heads: usize) -> Tensor<3> {
    let projected = projected.into_dispatch();
    Tensor::from_dispatch(<Dispatch as AttentionBackend>::self_attention(projected, heads))
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait AttentionBackend: Backend {
    /// The attention of `heads` heads: `[n, tokens, 3 * width]` to `[n, tokens, width]`.
    fn self_attention(projected: FloatTensor<Self>, heads: usize) -> FloatTensor<Self>;
}

impl AttentionBackend for Flex {
    fn self_attention(projected: FlexTensor, heads: usize) -> FlexTensor {
        let (output, _) = attend(&projected, sizes(&projected, heads));
        recycle(projected);
        output
    }
}

fn sizes(projected: &FlexTensor, heads: usize) -> AttentionSizes {
    let [images, tokens, numbers] = projected.shape().dims();
    AttentionSizes { images, tokens, heads, head: numbers / (3 * heads) }
}

fn attend(projected: &FlexTensor, sizes: AttentionSizes) -> (FlexTensor, Vec<Normaliser>) {
    let (output, normalisers) = kernels::attention(sizes, &values(projected));
    let shape = Shape::new([sizes.images, sizes.tokens, sizes.heads * sizes.head]);
    (from_values(output, shape), normalisers)
}

#[derive(Debug)]
struct Attention;

#[derive(Clone, Debug)]
struct AttentionState {
    projected: NodeId,
    sizes: AttentionSizes,
    normalisers: Arc<[Normaliser]>,
}

impl Backward<Flex, 1> for Attention {
    type State = AttentionState;

    fn backward(
        self,
        ops: Ops<AttentionState, 1>,
        grads: &mut Gradients,
        saved: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let AttentionState { projected, sizes, normalisers } = &ops.state;
        let projected = saved.retrieve_node_output::<FlexTensor>(*projected);
        if let Some(id) = wanted(&ops, 0) {
            let found = kernels::attention_gradient(
                *sizes,
                &values(&projected),
                normalisers,
                &values(&gradient),
            );
            grads.register::<Flex>(id, from_values(found, projected.shape()));
        }
        recycle(projected);
        recycle(gradient);
    }
}

impl<C: CheckpointStrategy> AttentionBackend for Autodiff<Flex, C> {
    fn self_attention(projected: Tracked<Flex, C>, heads: usize) -> Tracked<Flex, C> {
        let sizes = sizes(projected.primitive(), heads);
        let (output, normalisers) = attend(projected.primitive(), sizes);
        node::<_, Flex, C, 1>(Attention, [projected.node()], output, |prepared, _| {
            let projected = prepared.checkpoint(&projected);
            AttentionState { projected, sizes, normalisers: normalisers.into() }
        })
    }
}
