//! A vision transformer's way to ONNX.

use simclr_nn::{LayerNorm, Linear};
use simclr_onnx::{Graph, ToOnnx, Value};

use super::network::VisionTransformer;
use crate::layers::convolution;
use crate::onnx::{vector, weights};

impl ToOnnx for VisionTransformer {
    #[expect(clippy::cast_possible_wrap, reason = "the sizes of a network are small")]
    fn to_onnx(&self, graph: &mut Graph, images: &Value) -> Value {
        let width = self.class_token.dims()[2] as i64;
        let patches =
            graph.convolution(images, "patch_embedding", &convolution(&self.patch_embedding));
        let patches = graph.reshape(&patches, &[0, width, -1]);
        let patches = graph.transpose(&patches, &[0, 2, 1]); // [n, patches, width]
        let class = graph.weights("class_token", &weights(&self.class_token));
        let class = graph.repeated(&class, images, 3);
        let tokens = graph.concatenated(&[&class, &patches], 1);
        let positions = graph.weights("positions", &weights(&self.positions));
        let mut tokens = graph.sum(&tokens, &positions);
        for (place, block) in self.blocks.iter().enumerate() {
            tokens =
                graph.within(&format!("blocks.{place}"), |graph| block.to_onnx(graph, &tokens));
        }
        let class = graph.at(&tokens, 1, 0);
        layer_norm_to_onnx(&self.norm, graph, "norm", &class)
    }
}

pub(super) fn linear_to_onnx(
    layer: &Linear,
    graph: &mut Graph,
    name: &str,
    input: &Value,
) -> Value {
    graph.linear(input, name, &weights(&layer.weight), layer.bias.as_ref().map(vector))
}

pub(super) fn layer_norm_to_onnx(
    norm: &LayerNorm,
    graph: &mut Graph,
    name: &str,
    input: &Value,
) -> Value {
    let scale = vector(&norm.gamma);
    let shift = norm.beta.as_ref().map_or_else(|| vec![0.0; scale.len()], vector);
    graph.layer_norm(input, name, [scale, shift], norm.epsilon as f32)
}
