//! The loss in the autodiff graph: one node, whose backward pass only scales the gradient that the forward pass has found.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, AutodiffBackend, Backend};
use burn::tensor::Shape;

use super::sweep::Question;
use super::{ContrastBackend, ContrastGradientBackend};

#[derive(Debug)]
struct Contrast;

impl<B: Backend> Backward<B, 1> for Contrast {
    /// The gradient of the loss by the rows, `[m, d]`.
    type State = FloatTensor<B>;

    fn backward(
        self,
        ops: Ops<FloatTensor<B>, 1>,
        gradients: &mut Gradients,
        _: &mut Checkpointer,
    ) {
        let of_loss = gradients.consume::<B>(&ops.node); // [1]
        let [rows] = ops.parents;
        if let Some(rows) = rows {
            let factor = B::float_reshape(of_loss, Shape::new([1, 1]));
            gradients.register::<B>(rows.id, B::float_mul(ops.state, factor));
        }
    }
}

impl<B: ContrastBackend + ContrastGradientBackend, C: CheckpointStrategy> ContrastBackend
    for Autodiff<B, C>
{
    fn contrast(
        z: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        ids: IntTensor<Self>,
        question: Question,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let node = z.node();
        let (z, weights) = (z.into_primitive(), weights.into_primitive());
        let (loss, ranks) = match Contrast.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (loss, ranks, gradient) = B::contrast_with_gradient(z, weights, ids, question);
                (prepared.finish(gradient, loss), ranks)
            }
            OpsKind::UnTracked(prepared) => {
                let (loss, ranks) = B::contrast(z, weights, ids, question);
                (prepared.finish(loss), ranks)
            }
        };
        (loss, Self::from_inner(ranks))
    }
}
