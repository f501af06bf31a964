//! Squeeze and excitation.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::Tensor;

use super::order::{
    channels_last_values, channels_last_values_mut, from_channels_last, from_values, in_order,
    is_readable, order, owned_channels_last, recycle, values,
};
use crate::kernels::{Excitation, Layer, LayerGradients, take};
use crate::ops::{Tracked, node, wanted};

/// Weights `[outputs, inputs, 1, 1]` and bias `[outputs]` of a layer.
type Parameters = (Tensor<4>, Tensor<1>);

/// Whether the kernels can scale the channels of `images`. What Burn refuses is not supported, so that Burn's message
/// appears.
pub(crate) fn supports_squeeze_excite(
    images: &Tensor<4>,
    reduce: &Parameters,
    expand: &Parameters,
) -> bool {
    let channels = images.dims()[1];
    let [squeezed, inputs, _, _] = reduce.0.dims();
    let fits = inputs == channels && expand.0.dims()[..2] == [channels, squeezed];
    let readable = |layer: &Parameters| is_readable(&layer.0) && is_readable(&layer.1);
    let full = images.shape().num_elements() > 0 && squeezed > 0;
    fits && full && is_readable(images) && readable(reduce) && readable(expand)
}

/// `images` times a factor for each channel.
pub(crate) fn squeeze_excite(
    images: Tensor<4>,
    reduce: Parameters,
    expand: Parameters,
) -> Tensor<4> {
    let layer = |(weight, bias): Parameters| (weight.into_dispatch(), bias.into_dispatch());
    let ((reduce, reduce_bias), (expand, expand_bias)) = (layer(reduce), layer(expand));
    let output = <Dispatch as ExcitationBackend>::excite(
        images.into_dispatch(),
        reduce,
        reduce_bias,
        expand,
        expand_bias,
    );
    Tensor::from_dispatch(output)
}

#[backend_extension(Autodiff, Flex)]
pub(crate) trait ExcitationBackend: Backend {
    /// `x`, `[n, c, h, w]`, times a factor for each channel, from two layers: weights `[s, c, 1, 1]` and `[c, s, 1, 1]`.
    fn excite(
        x: FloatTensor<Self>,
        reduce: FloatTensor<Self>,
        reduce_bias: FloatTensor<Self>,
        expand: FloatTensor<Self>,
        expand_bias: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl ExcitationBackend for Flex {
    fn excite(
        x: FlexTensor,
        reduce: FlexTensor,
        reduce_bias: FlexTensor,
        expand: FlexTensor,
        expand_bias: FlexTensor,
    ) -> FlexTensor {
        let (output, _) = excite(&x, &[reduce, reduce_bias, expand, expand_bias]);
        recycle(x);
        output
    }
}

/// The output, and what the gradients need. `layers` are weights and bias of the first and of the second.
fn excite(x: &FlexTensor, layers: &[FlexTensor; 4]) -> (FlexTensor, Vec<f32>) {
    let input = channels_last_values(x);
    let mut output = take(input.len());
    let kept = with_layers(x, layers, |excitation| excitation.apply(&input, &mut output));
    (from_channels_last(output, x.shape(), order(x)), kept)
}

/// Calls `work` with the layers in the form that the kernels take.
fn with_layers<T>(
    x: &FlexTensor,
    layers: &[FlexTensor; 4],
    work: impl FnOnce(&Excitation<'_>) -> T,
) -> T {
    let [reduce, reduce_bias, expand, expand_bias] = layers.each_ref().map(values);
    let [_, _, height, width] = x.shape().dims();
    work(&Excitation {
        reduce: Layer { weights: &reduce, bias: &reduce_bias },
        expand: Layer { weights: &expand, bias: &expand_bias },
        pixels: height * width,
    })
}

/// A node whose parents are the input, and weights and bias of the first and of the second layer.
#[derive(Debug)]
struct Excite;

const INPUT: usize = 0;

#[derive(Clone, Debug)]
struct ExciteState {
    x: NodeId,
    layers: [FlexTensor; 4],
    kept: Arc<[f32]>,
}

impl Backward<Flex, 5> for Excite {
    type State = ExciteState;

    fn backward(self, ops: Ops<ExciteState, 5>, grads: &mut Gradients, saved: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let ExciteState { x, layers, kept } = &ops.state;
        let x = saved.retrieve_node_output::<FlexTensor>(*x);
        let mut of_x = owned_channels_last(gradient);
        let of_layers = with_layers(&x, layers, |excitation| {
            let gradient = channels_last_values_mut(&mut of_x);
            excitation.gradients(&channels_last_values(&x), kept, gradient)
        });
        if let Some(id) = wanted(&ops, INPUT) {
            grads.register::<Flex>(id, in_order(of_x, order(&x)));
        }
        recycle(x);
        let of_layers =
            of_layers.into_iter().flat_map(|LayerGradients { weights, bias }| [weights, bias]);
        for (index, (gradient, layer)) in of_layers.zip(layers).enumerate() {
            if let Some(id) = wanted(&ops, index + 1) {
                grads.register::<Flex>(id, from_values(gradient, layer.shape()));
            }
        }
    }
}

impl<C: CheckpointStrategy> ExcitationBackend for Autodiff<Flex, C> {
    fn excite(
        x: Tracked<Flex, C>,
        reduce: Tracked<Flex, C>,
        reduce_bias: Tracked<Flex, C>,
        expand: Tracked<Flex, C>,
        expand_bias: Tracked<Flex, C>,
    ) -> Tracked<Flex, C> {
        let layers = [reduce, reduce_bias, expand, expand_bias];
        let [reduce, reduce_bias, expand, expand_bias] =
            layers.each_ref().map(Tracked::<Flex, C>::node);
        let parents = [x.node(), reduce, reduce_bias, expand, expand_bias];
        let layers = layers.map(Tracked::<Flex, C>::into_primitive);
        let (output, kept) = excite(x.primitive(), &layers);
        node::<_, Flex, C, 5>(Excite, parents, output, |prepared, _| ExciteState {
            x: prepared.checkpoint(&x),
            layers,
            kept: kept.into(),
        })
    }
}
