//! Normalisation with the statistics of the batch.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::graph::{Tracked, node, wanted};
use super::norm_gradients::{BatchNormGradientBackend, KeptNorm, Wanted};
use super::norm_tensors::{NormOptions, NormTensors};
use super::optional::OptionalTensor;
use super::passed::Passed;
use super::running_statistics::{Averaging, Running};

/// `input` normalised with gamma and beta: the output, and the running mean and variance after the batch.
pub(crate) fn batch_norm<const D: usize>(
    input: Tensor<D>,
    parameters: [Tensor<1>; 2],
    residual: Option<Tensor<D>>,
    running: [Tensor<1>; 2],
    options: NormOptions,
    averaging: Averaging,
) -> (Tensor<D>, [Tensor<1>; 2]) {
    let input = input.into_dispatch();
    let [gamma, beta] = parameters.map(Tensor::into_dispatch);
    let residual = OptionalTensor::new(residual);
    let [mean, variance] = running.map(Tensor::into_dispatch);
    let running = Running { mean, variance };
    let (output, mean, variance) = <Dispatch as BatchNormBackend>::batch_norm(
        input, gamma, beta, residual, running, options, averaging,
    );
    (Tensor::from_dispatch(output), [mean, variance].map(Tensor::from_dispatch))
}

#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion")
)]
pub(crate) trait BatchNormBackend: Backend {
    /// `x`, `[n, c, ...]`, normalised with the statistics of the batch, plus `residual`, and then the activation of
    /// `options`. Returns the output, and the running mean and variance after the batch.
    #[fusion(meta = |x, gamma, _, _, _, _, _| (x.clone(), gamma.clone(), gamma.clone()))]
    fn batch_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        #[extension_type] residual: OptionalTensor<Self>,
        #[extension_type] running: Running<Self>,
        options: NormOptions,
        averaging: Averaging,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

/// A node whose parents are the input, gamma, beta and, if there is one, the residual.
#[derive(Debug)]
struct BatchNorm;

const INPUT: usize = 0;
const GAMMA: usize = 1;
const BETA: usize = 2;
const RESIDUAL: usize = 3;

#[derive(Clone, Debug)]
struct BatchNormState<B: Backend> {
    x: NodeId,
    tensors: NormTensors<B>,
    passed: Passed<B>,
    options: NormOptions,
}

impl<B: BatchNormGradientBackend, const N: usize> Backward<B, N> for BatchNorm {
    type State = BatchNormState<B>;

    fn backward(
        self,
        ops: Ops<BatchNormState<B>, N>,
        grads: &mut Gradients,
        saved: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<B>(&ops.node);
        let x = saved.retrieve_node_output::<FloatTensor<B>>(ops.state.x);
        let [of_x, of_gamma, of_beta, of_residual] =
            [INPUT, GAMMA, BETA, RESIDUAL].map(|parent| wanted(&ops, parent));
        let asked = Wanted { input: of_x.is_some(), residual: of_residual.is_some() };
        let BatchNormState { tensors, passed, options, .. } = ops.state;
        let found = B::batch_norm_gradients(x, tensors, passed, gradient, options, asked);
        for (id, gradient) in [
            (of_x, found.input.into_option()),
            (of_gamma, Some(found.gamma)),
            (of_beta, Some(found.beta)),
            (of_residual, found.residual.into_option()),
        ] {
            if let (Some(id), Some(gradient)) = (id, gradient) {
                grads.register::<B>(id, gradient);
            }
        }
    }
}

impl<B: BatchNormBackend + BatchNormGradientBackend, C: CheckpointStrategy> BatchNormBackend
    for Autodiff<B, C>
{
    fn batch_norm(
        x: Tracked<B, C>,
        gamma: Tracked<B, C>,
        beta: Tracked<B, C>,
        residual: OptionalTensor<Self>,
        running: Running<Self>,
        options: NormOptions,
        averaging: Averaging,
    ) -> (Tracked<B, C>, Tracked<B, C>, Tracked<B, C>) {
        let Running { mean, variance } = running;
        let running = Running { mean: mean.into_primitive(), variance: variance.into_primitive() };
        let how = (options, averaging);
        let parents = [x.node(), gamma.node(), beta.node()];
        let parameters = [gamma, beta].map(Tracked::<B, C>::into_primitive);
        match residual.into_option() {
            None => tracked::<B, C, 3>(parents, &x, parameters, None, running, how),
            Some(residual) => {
                let [x_node, gamma, beta] = parents;
                let parents = [x_node, gamma, beta, residual.node()];
                let residual = Some(residual.into_primitive());
                tracked::<B, C, 4>(parents, &x, parameters, residual, running, how)
            }
        }
    }
}

fn tracked<
    B: BatchNormBackend + BatchNormGradientBackend,
    C: CheckpointStrategy,
    const N: usize,
>(
    parents: [NodeGuard; N],
    x: &Tracked<B, C>,
    [gamma, beta]: [FloatTensor<B>; 2],
    residual: Option<FloatTensor<B>>,
    running: Running<B>,
    (options, averaging): (NormOptions, Averaging),
) -> (Tracked<B, C>, Tracked<B, C>, Tracked<B, C>) {
    let KeptNorm { output, mean, variance, running, passed } = B::batch_norm_for_gradients(
        x.primitive().clone(),
        gamma.clone(),
        beta.clone(),
        residual.into(),
        running,
        options,
        averaging,
    );
    let output = node::<_, B, C, N>(BatchNorm, parents, output, |prepared, _| {
        let x = prepared.checkpoint(x);
        let tensors = NormTensors { gamma, beta, mean, variance };
        BatchNormState { x, tensors, passed, options }
    });
    let Running { mean, variance } = running;
    let [mean, variance] = [mean, variance].map(Autodiff::<B, C>::from_inner);
    (output, mean, variance)
}
