//! The operations with a backward pass, each one node of the graph.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Flex};
use burn::tensor::ops::ConvOptions;

use super::backend::{
    ConvNetBackend, NormOptions, NormTensors, NormWanted, Pooled, bias_gradient, geometry,
    input_gradient, normalise_batch, normalise_batch_backward, pool, pool_backward,
    weight_gradient,
};
use crate::kernels::Windows;

type Tracked<C> = FloatTensor<Autodiff<Flex, C>>;

/// Input and weight where the gradient needs them: each serves the other's.
type ConvState = (NodeId, NodeId, ConvOptions<2>);

#[derive(Debug)]
struct Convolution;

#[derive(Debug)]
struct ConvolutionWithBias;

impl Backward<Flex, 2> for Convolution {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 2>, grads: &mut Gradients, saved: &mut Checkpointer) {
        let [x, weight] = ops.parents;
        let gradient = grads.consume::<Flex>(&ops.node);
        let parents = [x.map(|node| node.id), weight.map(|node| node.id)];
        convolution_backward(parents, ops.state, &gradient, grads, saved);
    }
}

impl Backward<Flex, 3> for ConvolutionWithBias {
    type State = ConvState;

    fn backward(self, ops: Ops<ConvState, 3>, grads: &mut Gradients, saved: &mut Checkpointer) {
        let [x, weight, bias] = ops.parents;
        let gradient = grads.consume::<Flex>(&ops.node);
        let parents = [x.map(|node| node.id), weight.map(|node| node.id)];
        convolution_backward(parents, ops.state, &gradient, grads, saved);
        if let Some(node) = bias {
            grads.register::<Flex>(node.id, bias_gradient(&gradient));
        }
    }
}

fn convolution_backward(
    [of_x, of_weight]: [Option<NodeId>; 2],
    (x, weight, options): ConvState,
    gradient: &FlexTensor,
    grads: &mut Gradients,
    saved: &mut Checkpointer,
) {
    let x = saved.retrieve_node_output::<FlexTensor>(x);
    let weight = saved.retrieve_node_output::<FlexTensor>(weight);
    if let Some(id) = of_weight {
        let geometry = geometry(&x, &weight, &options);
        grads.register::<Flex>(id, weight_gradient(&geometry, &x, gradient));
    }
    if let Some(id) = of_x {
        grads.register::<Flex>(id, input_gradient(&x, &weight, gradient, &options));
    }
}

/// The input, the parameters and statistics, and the output if a residual was added.
type NormState = (NodeId, NormTensors, Option<FlexTensor>, NormOptions);

#[derive(Debug)]
struct BatchNorm;

#[derive(Debug)]
struct BatchNormAdd;

impl Backward<Flex, 3> for BatchNorm {
    type State = NormState;

    fn backward(self, ops: Ops<NormState, 3>, grads: &mut Gradients, saved: &mut Checkpointer) {
        let [x, gamma, beta] = ops.parents;
        let gradient = grads.consume::<Flex>(&ops.node);
        let parents = [x, gamma, beta, None].map(|node| node.map(|node| node.id));
        norm_backward(parents, &ops.state, gradient, grads, saved);
    }
}

impl Backward<Flex, 4> for BatchNormAdd {
    type State = NormState;

    fn backward(self, ops: Ops<NormState, 4>, grads: &mut Gradients, saved: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let parents = ops.parents.map(|node| node.map(|node| node.id));
        norm_backward(parents, &ops.state, gradient, grads, saved);
    }
}

fn norm_backward(
    [of_x, of_gamma, of_beta, of_residual]: [Option<NodeId>; 4],
    (x, tensors, output, options): &NormState,
    gradient: FlexTensor,
    grads: &mut Gradients,
    saved: &mut Checkpointer,
) {
    let x = saved.retrieve_node_output::<FlexTensor>(*x);
    let wanted = NormWanted { x: of_x.is_some(), residual: of_residual.is_some() };
    let found = normalise_batch_backward(&x, output.as_ref(), tensors, gradient, wanted, *options);
    for (id, gradient) in [
        (of_x, found.x),
        (of_gamma, Some(found.gamma)),
        (of_beta, Some(found.beta)),
        (of_residual, found.residual),
    ] {
        if let (Some(id), Some(gradient)) = (id, gradient) {
            grads.register::<Flex>(id, gradient);
        }
    }
}

#[derive(Debug)]
struct Largest;

impl Backward<Flex, 1> for Largest {
    /// The windows, and where in each the maximum was found.
    type State = (Windows, Arc<[u8]>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        if let [Some(node)] = ops.parents {
            let (windows, found) = ops.state;
            grads.register::<Flex>(node.id, pool_backward(&windows, &found, &gradient));
        }
    }
}

#[derive(Debug)]
struct ToChannelsLast;

impl Backward<Flex, 1> for ToChannelsLast {
    type State = ();

    fn backward(self, ops: Ops<(), 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        if let [Some(node)] = ops.parents {
            grads.register::<Flex>(node.id, gradient);
        }
    }
}

impl<C: CheckpointStrategy> ConvNetBackend for Autodiff<Flex, C> {
    fn convolution(x: Tracked<C>, weight: Tracked<C>, options: ConvOptions<2>) -> Tracked<C> {
        let prepared = Convolution.prepare::<C>([x.node(), weight.node()]).compute_bound();
        match prepared.stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state =
                    (prepared.checkpoint(&x), prepared.checkpoint(&weight), options.clone());
                let output =
                    Flex::convolution(x.into_primitive(), weight.into_primitive(), options);
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(Flex::convolution(
                x.into_primitive(),
                weight.into_primitive(),
                options,
            )),
        }
    }

    fn convolution_with_bias(
        x: Tracked<C>,
        weight: Tracked<C>,
        bias: Tracked<C>,
        options: ConvOptions<2>,
    ) -> Tracked<C> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let output = |x: Tracked<C>, weight: Tracked<C>, options| {
            let (x, weight) = (x.into_primitive(), weight.into_primitive());
            Flex::convolution_with_bias(x, weight, bias.into_primitive(), options)
        };
        match ConvolutionWithBias.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state =
                    (prepared.checkpoint(&x), prepared.checkpoint(&weight), options.clone());
                let output = output(x, weight, options);
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output(x, weight, options)),
        }
    }

    fn batch_norm(
        x: Tracked<C>,
        gamma: Tracked<C>,
        beta: Tracked<C>,
        options: NormOptions,
    ) -> (Tracked<C>, Tracked<C>, Tracked<C>) {
        let nodes = [x.node(), gamma.node(), beta.node()];
        let (gamma, beta) = (gamma.into_primitive(), beta.into_primitive());
        let (output, tensors) = normalise_batch(x.primitive(), gamma, beta, None, options);
        let statistics = [tensors.mean.clone(), tensors.variance.clone()];
        let output = match BatchNorm.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let state = (prepared.checkpoint(&x), tensors, None, options);
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        let [mean, variance] = statistics.map(Self::from_inner);
        (output, mean, variance)
    }

    fn batch_norm_add(
        x: Tracked<C>,
        gamma: Tracked<C>,
        beta: Tracked<C>,
        residual: Tracked<C>,
        options: NormOptions,
    ) -> (Tracked<C>, Tracked<C>, Tracked<C>) {
        let nodes = [x.node(), gamma.node(), beta.node(), residual.node()];
        let (gamma, beta) = (gamma.into_primitive(), beta.into_primitive());
        let (output, tensors) =
            normalise_batch(x.primitive(), gamma, beta, Some(residual.primitive()), options);
        let statistics = [tensors.mean.clone(), tensors.variance.clone()];
        let output = match BatchNormAdd.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let saved = options.relu.then(|| output.clone());
                let state = (prepared.checkpoint(&x), tensors, saved, options);
                prepared.finish(state, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        let [mean, variance] = statistics.map(Self::from_inner);
        (output, mean, variance)
    }

    fn largest(
        x: Tracked<C>,
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> Tracked<C> {
        let Pooled { output, windows, found } = pool(x.primitive(), kernel, stride, padding);
        match Largest.prepare::<C>([x.node()]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((windows, found.into()), output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }

    fn to_channels_last(x: Tracked<C>) -> Tracked<C> {
        let prepared = ToChannelsLast.prepare::<C>([x.node()]).compute_bound();
        prepared.stateless(Flex::to_channels_last(x.into_primitive()))
    }
}
