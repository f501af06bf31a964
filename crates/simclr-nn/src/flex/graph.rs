//! Nodes of the autodiff graph.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{self, Backward, NodeGuard, Ops, OpsKind, OpsPrep};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};

/// A tensor of flex in the graph.
pub(super) type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

/// A node that will have a backward pass.
pub(super) type Prepared<Op, C, const N: usize> =
    OpsPrep<Op, Flex, <Op as Backward<Flex, N>>::State, C, N, ops::Tracked>;

/// Makes `output` a child of `parents`. `state` gives what the backward pass needs: it is called only if there will
/// be one.
pub(super) fn node<Op: Backward<Flex, N>, C: CheckpointStrategy, const N: usize>(
    operation: Op,
    parents: [NodeGuard; N],
    output: FlexTensor,
    state: impl FnOnce(&mut Prepared<Op, C, N>, &FlexTensor) -> Op::State,
) -> Tracked<C> {
    match operation.prepare::<C>(parents).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let state = state(&mut prepared, &output);
            prepared.finish(state, output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}

/// The node of a parent, if there is one and its gradient is wanted.
pub(super) fn wanted<S, const N: usize>(ops: &Ops<S, N>, parent: usize) -> Option<NodeId> {
    ops.parents.get(parent)?.as_ref().map(|node| node.id)
}
