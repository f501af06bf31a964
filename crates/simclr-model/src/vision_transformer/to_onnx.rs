//! A vision transformer's way to ONNX.

use simclr_onnx::{Graph, ToOnnx, Value};

use super::network::VisionTransformer;
use crate::layers::{convolution, layer_norm_to_onnx};
use crate::onnx::weights;

impl ToOnnx for VisionTransformer {
    fn to_onnx(&self, graph: &mut Graph, images: &Value) -> Value {
        let mut tokens = self.first_tokens_to_onnx(graph, images);
        let rotations = self.rotary.as_ref().map(|rotary| rotary.to_onnx(graph));
        for (place, block) in self.blocks.iter().enumerate() {
            tokens = graph.within(&format!("blocks.{place}"), |graph| {
                block.to_onnx(graph, &tokens, rotations.as_ref())
            });
        }
        if self.family.averages_patches() {
            let tokens = layer_norm_to_onnx(&self.norm, graph, "norm", &tokens);
            return self.mean_of_patches_to_onnx(graph, &tokens);
        }
        let class = graph.at(&tokens, 1, 0);
        layer_norm_to_onnx(&self.norm, graph, "norm", &class)
    }
}

impl VisionTransformer {
    /// What enters the first block.
    #[expect(clippy::cast_possible_wrap, reason = "the sizes of a network are small")]
    fn first_tokens_to_onnx(&self, graph: &mut Graph, images: &Value) -> Value {
        let width = self.class_token.dims()[2] as i64;
        let patches =
            graph.convolution(images, "patch_embedding", &convolution(&self.patch_embedding));
        let patches = graph.reshape(&patches, &[0, width, -1]);
        let mut patches = graph.transpose(&patches, &[0, 2, 1]); // [n, patches, width]
        let class_has_position = self.family.class_has_position();
        let positions =
            self.positions.as_ref().map(|learnt| graph.weights("positions", &weights(learnt)));
        if let Some(positions) = positions.as_ref().filter(|_| !class_has_position) {
            patches = graph.sum(&patches, positions);
        }
        let class = graph.weights("class_token", &weights(&self.class_token));
        let mut parts = vec![graph.repeated(&class, images, 3)];
        if let Some(registers) = &self.registers {
            let registers = graph.weights("registers", &weights(registers));
            parts.push(graph.repeated(&registers, images, 3));
        }
        parts.push(patches);
        let tokens = graph.concatenated(&parts.iter().collect::<Vec<_>>(), 1);
        match positions {
            Some(positions) if class_has_position => graph.sum(&tokens, &positions),
            _ => tokens,
        }
    }

    /// The mean of the tokens that are patches, as a product with the shares of all tokens in it.
    fn mean_of_patches_to_onnx(&self, graph: &mut Graph, tokens: &Value) -> Value {
        let (others, patches) = (self.tokens_before_patches(), self.patches());
        let shares = [vec![0.0; others], vec![(patches as f32).recip(); patches]].concat();
        let shares = simclr_onnx::Weights::new([1, shares.len()], shares);
        let shares = graph.weights("shares", &shares);
        let mean = graph.matrix_product(&shares, tokens); // [n, 1, width]
        graph.at(&mean, 1, 0)
    }
}
