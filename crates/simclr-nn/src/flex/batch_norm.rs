//! Normalisation with the statistics of the batch.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, Backend, Dispatch, Flex, TensorMetadata, backend_extension,
};
use burn::tensor::{Shape, Tensor};

use super::graph::{Tracked, node, wanted};
use super::normalise::{NormOptions, NormTensors};
use super::optional::OptionalTensor;
use super::order::{
    channels_last_values, channels_last_values_mut, from_values, in_order, order,
    owned_channels_last,
};
use crate::kernels::{self, ParameterGradients, Saved, Statistics};

/// `input` normalised with gamma and beta: the output, and the batch's mean and biased variance.
pub(crate) fn batch_norm<const D: usize>(
    input: Tensor<D>,
    parameters: [Tensor<1>; 2],
    residual: Option<Tensor<D>>,
    options: NormOptions,
) -> (Tensor<D>, Tensor<1>, Tensor<1>) {
    let input = input.into_dispatch();
    let [gamma, beta] = parameters.map(Tensor::into_dispatch);
    let residual = OptionalTensor::new(residual);
    let (output, mean, variance) =
        <Dispatch as BatchNormBackend>::batch_norm(input, gamma, beta, residual, options);
    (Tensor::from_dispatch(output), Tensor::from_dispatch(mean), Tensor::from_dispatch(variance))
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait BatchNormBackend: Backend {
    /// `x`, `[n, c, ...]`, normalised with the statistics of the batch, plus `residual`, and then ReLU if `options` say
    /// so. Returns the output, and the batch's mean and biased variance.
    fn batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        #[extension_type] residual: OptionalTensor<Self>,
        options: NormOptions,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl BatchNormBackend for Flex {
    fn batch_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        residual: OptionalTensor<Self>,
        options: NormOptions,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let (output, tensors) = forward(&x, [gamma, beta], residual.as_ref(), options);
        (output, tensors.mean, tensors.variance)
    }
}

/// The output, and the parameters and statistics that it was normalised with.
fn forward(
    x: &FlexTensor,
    [gamma, beta]: [FlexTensor; 2],
    residual: Option<&FlexTensor>,
    options: NormOptions,
) -> (FlexTensor, NormTensors<Flex>) {
    let channels = x.shape()[1];
    let input = channels_last_values(x);
    let Statistics { mean, variance } = kernels::statistics(&input, channels);
    let [mean, variance] = [mean, variance].map(of_channels);
    let tensors = NormTensors { gamma, beta, mean, variance };
    (tensors.apply(x, &input, residual, options), tensors)
}

fn of_channels(values: Vec<f32>) -> FlexTensor {
    let channels = values.len();
    from_values(values, Shape::new([channels]))
}

/// A node whose parents are the input, gamma, beta and, if there is one, the residual.
#[derive(Debug)]
struct BatchNorm;

const INPUT: usize = 0;
const GAMMA: usize = 1;
const BETA: usize = 2;
const RESIDUAL: usize = 3;

#[derive(Clone, Debug)]
struct BatchNormState {
    x: NodeId,
    tensors: NormTensors<Flex>,
    /// The output, if a residual was added before ReLU.
    output: Option<FlexTensor>,
    options: NormOptions,
}

impl<const N: usize> Backward<Flex, N> for BatchNorm {
    type State = BatchNormState;

    fn backward(
        self,
        ops: Ops<BatchNormState, N>,
        grads: &mut Gradients,
        saved: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let x = saved.retrieve_node_output::<FlexTensor>(ops.state.x);
        let [of_x, of_residual] = [INPUT, RESIDUAL].map(|parent| wanted(&ops, parent));
        let found = ops.state.gradients(&x, gradient, of_x.is_some(), of_residual.is_some());
        for (id, gradient) in [
            (of_x, found.x),
            (wanted(&ops, GAMMA), Some(found.gamma)),
            (wanted(&ops, BETA), Some(found.beta)),
            (of_residual, found.residual),
        ] {
            if let (Some(id), Some(gradient)) = (id, gradient) {
                grads.register::<Flex>(id, gradient);
            }
        }
    }
}

/// The gradients of a normalisation. The gradients of `x` and of the residual are there only if they are wanted.
struct NormGradients {
    x: Option<FlexTensor>,
    gamma: FlexTensor,
    beta: FlexTensor,
    residual: Option<FlexTensor>,
}

impl BatchNormState {
    /// The gradients, from `gradient`, the output's.
    fn gradients(
        &self,
        x: &FlexTensor,
        gradient: FlexTensor,
        wants_x: bool,
        wants_residual: bool,
    ) -> NormGradients {
        let input = channels_last_values(x);
        let output = self.output.as_ref().map(channels_last_values);
        let saved = Saved { input: &input, output: output.as_deref() };
        let mut gradient = owned_channels_last(gradient);
        self.tensors.with(self.options, |norm| {
            let parameters =
                norm.parameter_gradients(&saved, channels_last_values_mut(&mut gradient));
            let residual = wants_residual.then(|| gradient.clone());
            let of_x = wants_x.then(|| {
                // In place, unless the residual's gradient is the same tensor.
                let mut of_x = owned_channels_last(gradient);
                norm.input_gradient(&parameters, &input, channels_last_values_mut(&mut of_x));
                in_order(of_x, order(x))
            });
            let ParameterGradients { gamma, beta } = parameters;
            NormGradients { x: of_x, gamma: of_channels(gamma), beta: of_channels(beta), residual }
        })
    }
}

impl<C: CheckpointStrategy> BatchNormBackend for Autodiff<Flex, C> {
    fn batch_norm(
        x: Tracked<C>,
        gamma: Tracked<C>,
        beta: Tracked<C>,
        residual: OptionalTensor<Self>,
        options: NormOptions,
    ) -> (Tracked<C>, Tracked<C>, Tracked<C>) {
        let parents = [x.node(), gamma.node(), beta.node()];
        let parameters = [gamma, beta].map(Tracked::<C>::into_primitive);
        match residual.as_ref() {
            None => tracked::<C, 3>(parents, &x, parameters, None, options),
            Some(residual) => {
                let [x_node, gamma, beta] = parents;
                let parents = [x_node, gamma, beta, residual.node()];
                tracked::<C, 4>(parents, &x, parameters, Some(residual.primitive()), options)
            }
        }
    }
}

fn tracked<C: CheckpointStrategy, const N: usize>(
    parents: [NodeGuard; N],
    x: &Tracked<C>,
    parameters: [FlexTensor; 2],
    residual: Option<&FlexTensor>,
    options: NormOptions,
) -> (Tracked<C>, Tracked<C>, Tracked<C>) {
    let (output, tensors) = forward(x.primitive(), parameters, residual, options);
    let statistics = [tensors.mean.clone(), tensors.variance.clone()];
    let output = node::<_, C, N>(BatchNorm, parents, output, |prepared, output| {
        let x = prepared.checkpoint(x);
        let output = (options.relu && residual.is_some()).then(|| output.clone());
        BatchNormState { x, tensors, output, options }
    });
    let [mean, variance] = statistics.map(Autodiff::<Flex, C>::from_inner);
    (output, mean, variance)
}
