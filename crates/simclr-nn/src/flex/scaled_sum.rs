//! A residual sum in which each image's branch has a factor.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use super::order::{channels_last_values, from_channels_last, is_readable, order, values};
use crate::kernels;
use crate::ops::{Tracked, node, wanted};

/// Whether the kernels can add these.
pub(crate) fn supports_add_scaled(x: &Tensor<4>, branch: &Tensor<4>, factors: &Tensor<2>) -> bool {
    let full = x.shape().num_elements() > 0;
    full && is_readable(x) && is_readable(branch) && is_readable(factors)
}

/// `x + branch * factors`
pub(crate) fn add_scaled(x: Tensor<4>, branch: Tensor<4>, factors: Tensor<2>) -> Tensor<4> {
    let (x, branch, factors) = (x.into_dispatch(), branch.into_dispatch(), factors.into_dispatch());
    Tensor::from_dispatch(<Dispatch as ScaledSumBackend>::scaled_sum(x, branch, factors))
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait ScaledSumBackend: Backend {
    /// `x` plus `branch`, `[n, c, h, w]`, times `factors`, `[n, 1]`.
    fn scaled_sum(
        x: FloatTensor<Self>,
        branch: FloatTensor<Self>,
        factors: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl ScaledSumBackend for Flex {
    fn scaled_sum(x: FlexTensor, branch: FlexTensor, factors: FlexTensor) -> FlexTensor {
        sum(&x, &branch, &factors)
    }
}

fn sum(x: &FlexTensor, branch: &FlexTensor, factors: &FlexTensor) -> FlexTensor {
    let (left, right) = (channels_last_values(x), channels_last_values(branch));
    let sum = kernels::scaled_sum(&left, &right, &values(factors));
    from_channels_last(sum, x.shape(), order(x))
}

/// A node whose parents are `x` and the branch.
#[derive(Debug)]
struct ScaledSum;

impl Backward<Flex, 2> for ScaledSum {
    /// The factors.
    type State = FlexTensor;

    fn backward(self, ops: Ops<FlexTensor, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        if let Some(id) = wanted(&ops, 1) {
            let scaled = kernels::scaled(&channels_last_values(&gradient), &values(&ops.state));
            let scaled = from_channels_last(scaled, gradient.shape(), order(&gradient));
            grads.register::<Flex>(id, scaled);
        }
        if let Some(id) = wanted(&ops, 0) {
            grads.register::<Flex>(id, gradient);
        }
    }
}

impl<C: CheckpointStrategy> ScaledSumBackend for Autodiff<Flex, C> {
    fn scaled_sum(
        x: Tracked<Flex, C>,
        branch: Tracked<Flex, C>,
        factors: Tracked<Flex, C>,
    ) -> Tracked<Flex, C> {
        let parents = [x.node(), branch.node()];
        let factors = factors.into_primitive();
        let output = sum(x.primitive(), branch.primitive(), &factors);
        node::<_, Flex, C, 2>(ScaledSum, parents, output, |_, _| factors)
    }
}
