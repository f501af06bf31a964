//! Fully connected layers.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, NodeGuard, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Shape, Tensor};

use super::gelu::gelu_gradient;
use super::order::{from_values, is_readable, recycle, values};
use crate::kernels::{self, Activated, LinearLayer, PackedWeight, WeightGradients};
use crate::ops::{OptionalTensor, Tracked, node, wanted};

/// Whether the kernels have this layer. A residual needs a bias.
pub(crate) fn supports_linear<const D: usize>(
    x: &Tensor<D>,
    weight: &Tensor<2>,
    bias: Option<&Tensor<1>>,
    residual: Option<&Tensor<D>>,
) -> bool {
    x.shape().num_elements() > 0
        && weight.shape().num_elements() > 0
        && is_readable(x)
        && is_readable(weight)
        && bias.is_none_or(is_readable)
        && residual.is_none_or(|residual| is_readable(residual) && bias.is_some())
}

/// `x` times `weight`, plus `bias`, plus `residual`; or GELU of it.
pub(crate) fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    residual: Option<Tensor<D>>,
    gelu: bool,
) -> Tensor<D> {
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    let (bias, residual) = (OptionalTensor::new(bias), OptionalTensor::new(residual));
    let output = <Dispatch as LinearBackend>::fully_connected(x, weight, bias, residual, gelu);
    Tensor::from_dispatch(output)
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait LinearBackend: Backend {
    /// `x`, `[..., inputs]`, times `weight`, `[inputs, outputs]`, plus `bias`, `[outputs]`, plus `residual`,
    /// `[..., outputs]`; or GELU of it.
    fn fully_connected(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        #[extension_type] bias: OptionalTensor<Self>,
        #[extension_type] residual: OptionalTensor<Self>,
        gelu: bool,
    ) -> FloatTensor<Self>;
}

impl LinearBackend for Flex {
    fn fully_connected(
        x: FlexTensor,
        weight: FlexTensor,
        bias: OptionalTensor<Self>,
        residual: OptionalTensor<Self>,
        gelu: bool,
    ) -> FlexTensor {
        with_layer(&weight, bias.as_ref(), |layer| run(layer, x, residual.into_option(), gelu))
    }
}

/// The output of `layer`, plus `residual`; or GELU of it.
pub(super) fn run(
    layer: &LinearLayer<'_>,
    x: FlexTensor,
    residual: Option<FlexTensor>,
    gelu: bool,
) -> FlexTensor {
    let output = {
        let input = values(&x);
        if gelu {
            layer.forward_gelu(&input)
        } else {
            layer.forward(&input, residual.as_ref().map(values).as_deref())
        }
    };
    let output = from_values(output, output_shape(&x, layer.weight.outputs));
    recycle(x);
    if let Some(residual) = residual {
        recycle(residual);
    }
    output
}

/// Calls `work` with the layer in the form that the kernels take.
fn with_layer<T>(
    weight: &FlexTensor,
    bias: Option<&FlexTensor>,
    work: impl FnOnce(&LinearLayer<'_>) -> T,
) -> T {
    let [inputs, outputs] = weight.shape().dims();
    let weight = PackedWeight::new(&values(weight), inputs, outputs);
    let bias = bias.map(values);
    work(&LinearLayer { weight: &weight, bias: bias.as_deref() })
}

fn output_shape(x: &FlexTensor, outputs: usize) -> Shape {
    let mut shape = x.shape();
    let last = shape.num_dims() - 1;
    shape[last] = outputs;
    shape
}

/// A node whose parents are the input, the weight and, if there are any, the bias and the residual.
#[derive(Debug)]
struct Linear;

const INPUT: usize = 0;
const WEIGHT: usize = 1;
const BIAS: usize = 2;
const RESIDUAL: usize = 3;

#[derive(Clone, Debug)]
struct LinearState {
    x: NodeId,
    weight: NodeId,
    /// The output before GELU.
    before: Option<FlexTensor>,
}

impl<const N: usize> Backward<Flex, N> for Linear {
    type State = LinearState;

    fn backward(
        self,
        mut ops: Ops<LinearState, N>,
        grads: &mut Gradients,
        saved: &mut Checkpointer,
    ) {
        let mut gradient = grads.consume::<Flex>(&ops.node);
        let x = saved.retrieve_node_output::<FlexTensor>(ops.state.x);
        let weight = saved.retrieve_node_output::<FlexTensor>(ops.state.weight);
        if let Some(before) = ops.state.before.take() {
            gradient = gelu_gradient(&before, gradient);
            recycle(before);
        }
        let [of_x, of_weight, of_bias, of_residual] =
            [INPUT, WEIGHT, BIAS, RESIDUAL].map(|parent| wanted(&ops, parent));
        if of_weight.is_some() || of_bias.is_some() {
            let [inputs, outputs] = weight.shape().dims();
            let WeightGradients { weight: found, bias } =
                kernels::weight_gradients(&values(&x), &values(&gradient), inputs, outputs);
            for (id, values, shape) in
                [(of_weight, found, weight.shape()), (of_bias, bias, Shape::new([outputs]))]
            {
                if let Some(id) = id {
                    grads.register::<Flex>(id, from_values(values, shape));
                }
            }
        }
        if let Some(id) = of_x {
            let [inputs, outputs] = weight.shape().dims();
            let (gradient, weight) = (values(&gradient), values(&weight));
            let found = kernels::linear_input_gradient(&gradient, &weight, inputs, outputs);
            grads.register::<Flex>(id, from_values(found, x.shape()));
        }
        recycle(x);
        match of_residual {
            Some(id) => grads.register::<Flex>(id, gradient),
            None => recycle(gradient),
        }
    }
}

impl<C: CheckpointStrategy> LinearBackend for Autodiff<Flex, C> {
    fn fully_connected(
        x: Tracked<Flex, C>,
        weight: Tracked<Flex, C>,
        bias: OptionalTensor<Self>,
        residual: OptionalTensor<Self>,
        gelu: bool,
    ) -> Tracked<Flex, C> {
        let layer = (&x, &weight);
        let parents = [x.node(), weight.node()];
        match (bias.into_option(), residual.into_option()) {
            (None, residual) => {
                debug_assert!(residual.is_none(), "a residual needs a bias");
                tracked::<C, 2>(parents, layer, None, None, gelu)
            }
            (Some(bias), None) => {
                let [x, weight] = parents;
                let parents = [x, weight, bias.node()];
                tracked::<C, 3>(parents, layer, Some(bias.primitive()), None, gelu)
            }
            (Some(bias), Some(residual)) => {
                let [x, weight] = parents;
                let parents = [x, weight, bias.node(), residual.node()];
                let residual = Some(residual.primitive());
                tracked::<C, 4>(parents, layer, Some(bias.primitive()), residual, gelu)
            }
        }
    }
}

fn tracked<C: CheckpointStrategy, const N: usize>(
    parents: [NodeGuard; N],
    (x, weight): (&Tracked<Flex, C>, &Tracked<Flex, C>),
    bias: Option<&FlexTensor>,
    residual: Option<&FlexTensor>,
    gelu: bool,
) -> Tracked<Flex, C> {
    let input = values(x.primitive());
    let (output, before) = with_layer(weight.primitive(), bias, |layer| {
        let tensor =
            |values| from_values(values, output_shape(x.primitive(), layer.weight.outputs));
        if gelu {
            let Activated { before, after } = layer.forward_before_and_after_gelu(&input);
            (tensor(after), Some(tensor(before)))
        } else {
            (tensor(layer.forward(&input, residual.map(values).as_deref())), None)
        }
    });
    node::<_, Flex, C, N>(Linear, parents, output, |prepared, _| {
        let (x, weight) = (prepared.checkpoint(x), prepared.checkpoint(weight));
        LinearState { x, weight, before }
    })
}
