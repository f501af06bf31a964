//! Layer normalisation.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use super::order::{from_values, is_readable, owned, owned_values, recycle, values};
use crate::kernels::{self, RowStatistics};
use crate::ops::{OptionalTensor, Tracked, node, wanted};

/// Whether the kernels can normalise `x`.
pub(crate) fn supports_layer_norm<const D: usize>(
    x: &Tensor<D>,
    gamma: &Tensor<1>,
    beta: Option<&Tensor<1>>,
) -> bool {
    x.shape().num_elements() > 0
        && is_readable(x)
        && is_readable(gamma)
        && beta.is_none_or(is_readable)
}

/// `x` normalised over its last axis, times `gamma`, plus `beta`.
pub(crate) fn layer_norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    let (x, gamma) = (x.into_dispatch(), gamma.into_dispatch());
    let beta = OptionalTensor::new(beta);
    Tensor::from_dispatch(<Dispatch as LayerNormBackend>::normalise_rows(x, gamma, beta, epsilon))
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait LayerNormBackend: Backend {
    /// `x` normalised over its last axis, times `gamma`, plus `beta`.
    fn normalise_rows(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        #[extension_type] beta: OptionalTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;
}

impl LayerNormBackend for Flex {
    fn normalise_rows(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: OptionalTensor<Self>,
        epsilon: f64,
    ) -> FlexTensor {
        let (output, _) = normalise(&x, &gamma, beta.as_ref(), epsilon);
        recycle(x);
        output
    }
}

fn normalise(
    x: &FlexTensor,
    gamma: &FlexTensor,
    beta: Option<&FlexTensor>,
    epsilon: f64,
) -> (FlexTensor, Vec<RowStatistics>) {
    let beta = beta.map(values);
    let (output, statistics) =
        kernels::layer_norm(&values(x), &values(gamma), beta.as_deref(), epsilon);
    (from_values(output, x.shape()), statistics)
}

/// A node whose parents are the input, gamma and, if there is one, beta.
#[derive(Debug)]
struct LayerNorm;

const INPUT: usize = 0;
const GAMMA: usize = 1;
const BETA: usize = 2;

#[derive(Clone, Debug)]
struct LayerNormState {
    x: NodeId,
    gamma: FlexTensor,
    statistics: Arc<[RowStatistics]>,
}

impl<const N: usize> Backward<Flex, N> for LayerNorm {
    type State = LayerNormState;

    fn backward(
        self,
        ops: Ops<LayerNormState, N>,
        grads: &mut Gradients,
        saved: &mut Checkpointer,
    ) {
        let mut gradient = owned(grads.consume::<Flex>(&ops.node));
        let LayerNormState { x, gamma, statistics } = &ops.state;
        let x = saved.retrieve_node_output::<FlexTensor>(*x);
        let gamma = values(gamma);
        let into = owned_values(&mut gradient);
        let found = kernels::layer_norm_gradients(&values(&x), statistics, &gamma, into);
        let of_channels = |values: Vec<f32>| from_values(values, Shape::new([gamma.len()]));
        for (parent, gradient) in
            [(INPUT, gradient), (GAMMA, of_channels(found.gamma)), (BETA, of_channels(found.beta))]
        {
            if let Some(id) = wanted(&ops, parent) {
                grads.register::<Flex>(id, gradient);
            }
        }
        recycle(x);
    }
}

impl<C: CheckpointStrategy> LayerNormBackend for Autodiff<Flex, C> {
    fn normalise_rows(
        x: Tracked<Flex, C>,
        gamma: Tracked<Flex, C>,
        beta: OptionalTensor<Self>,
        epsilon: f64,
    ) -> Tracked<Flex, C> {
        match beta.as_ref() {
            None => tracked::<C, 2>([x.node(), gamma.node()], &x, &gamma, None, epsilon),
            Some(beta) => {
                let parents = [x.node(), gamma.node(), beta.node()];
                tracked::<C, 3>(parents, &x, &gamma, Some(beta.primitive()), epsilon)
            }
        }
    }
}

fn tracked<C: CheckpointStrategy, const N: usize>(
    parents: [NodeGuard; N],
    x: &Tracked<Flex, C>,
    gamma: &Tracked<Flex, C>,
    beta: Option<&FlexTensor>,
    epsilon: f64,
) -> Tracked<Flex, C> {
    let (output, statistics) = normalise(x.primitive(), gamma.primitive(), beta, epsilon);
    node::<_, Flex, C, N>(LayerNorm, parents, output, |prepared, _| LayerNormState {
        x: prepared.checkpoint(x),
        gamma: gamma.primitive().clone(),
        statistics: statistics.into(),
    })
}
