//! Nodes of the autodiff graph.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{self, Backward, NodeGuard, Ops, OpsKind, OpsPrep};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend};

/// A tensor of `B` in the graph.
pub(crate) type Tracked<B, C> = FloatTensor<Autodiff<B, C>>;

/// A node that will have a backward pass.
pub(crate) type Prepared<Op, B, C, const N: usize> =
    OpsPrep<Op, B, <Op as Backward<B, N>>::State, C, N, ops::Tracked>;

/// Makes `output` a child of `parents`. `state` gives what the backward pass needs: it is called only if there will
/// be one.
pub(crate) fn node<Op: Backward<B, N>, B: Backend, C: CheckpointStrategy, const N: usize>(
    operation: Op,
    parents: [NodeGuard; N],
    output: FloatTensor<B>,
    state: impl FnOnce(&mut Prepared<Op, B, C, N>, &FloatTensor<B>) -> Op::State,
) -> Tracked<B, C> {
    match operation.prepare::<C>(parents).compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let state = state(&mut prepared, &output);
            prepared.finish(state, output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}

/// The node of a parent, if there is one and its gradient is wanted.
pub(crate) fn wanted<S, const N: usize>(ops: &Ops<S, N>, parent: usize) -> Option<NodeId> {
    ops.parents.get(parent)?.as_ref().map(|node| node.id)
}
