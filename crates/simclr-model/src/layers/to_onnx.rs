//! The ways to ONNX of layers whose weights are laid out as there.

use simclr_nn::{LayerNorm, Linear};
use simclr_onnx::{Graph, Value};

use crate::onnx::{vector, weights};

pub(crate) fn linear_to_onnx(
    layer: &Linear,
    graph: &mut Graph,
    name: &str,
    input: &Value,
) -> Value {
    graph.linear(input, name, &weights(&layer.weight), layer.bias.as_ref().map(vector))
}

pub(crate) fn layer_norm_to_onnx(
    norm: &LayerNorm,
    graph: &mut Graph,
    name: &str,
    input: &Value,
) -> Value {
    let scale = vector(&norm.gamma);
    let shift = norm.beta.as_ref().map_or_else(|| vec![0.0; scale.len()], vector);
    graph.layer_norm(input, name, [scale, shift], norm.epsilon as f32)
}
