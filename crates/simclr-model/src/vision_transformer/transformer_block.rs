//! The building block of a vision transformer.

use burn::module::Module;
use burn::nn::{LayerNormConfig, LinearConfig};
use burn::tensor::Tensor;
use simclr_nn::{LayerNorm, Linear, attention};
use simclr_onnx::{Graph, ToOnnx, Value};

use super::to_onnx::{layer_norm_to_onnx, linear_to_onnx};
use crate::weight_init::WeightInit;

/// Added to the variance in every normalisation, as in the original, timm and torchvision.
pub(super) const LAYER_NORM_EPSILON: f64 = 1e-6;

/// How many times as long as a token the hidden layer of its perceptron is.
const MLP_EXPANSION: usize = 4;

/// x + attention(norm(x)), then x + perceptron(norm(x)) (Dosovitskiy et al. 2020, equations 2 and 3).
#[derive(Module, Debug)]
pub(super) struct TransformerBlock {
    attention_norm: LayerNorm,
    attention: Attention,
    mlp_norm: LayerNorm,
    mlp_hidden: Linear,
    mlp_output: Linear,
}

impl TransformerBlock {
    /// Tokens have length `width`, a multiple of `heads`; weights have the standard deviation `std`.
    pub(super) fn new(width: usize, heads: usize, std: f64, init: &mut WeightInit) -> Self {
        let config = LayerNormConfig::new(width).with_epsilon(LAYER_NORM_EPSILON);
        let mut linear = |inputs: usize, outputs: usize| {
            init.truncated_normal_linear(&LinearConfig::new(inputs, outputs), std).into()
        };
        let hidden = MLP_EXPANSION * width;
        let attention =
            Attention { input: linear(width, 3 * width), output: linear(width, width), heads };
        let (mlp_hidden, mlp_output) = (linear(width, hidden), linear(hidden, width));
        Self {
            attention_norm: LayerNorm::new(&config, init.device()),
            attention,
            mlp_norm: LayerNorm::new(&config, init.device()),
            mlp_hidden,
            mlp_output,
        }
    }

    /// `tokens` and output: `[n, tokens, width]`.
    pub(super) fn forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        let tokens =
            self.attention.forward_add(self.attention_norm.forward(tokens.clone()), tokens);
        let hidden = self.mlp_hidden.forward_gelu(self.mlp_norm.forward(tokens.clone()));
        self.mlp_output.forward_add(hidden, tokens)
    }
}

impl ToOnnx for TransformerBlock {
    fn to_onnx(&self, graph: &mut Graph, tokens: &Value) -> Value {
        let normed = layer_norm_to_onnx(&self.attention_norm, graph, "attention_norm", tokens);
        let attended = graph.within("attention", |graph| self.attention.to_onnx(graph, &normed));
        let tokens = graph.sum(tokens, &attended);
        let normed = layer_norm_to_onnx(&self.mlp_norm, graph, "mlp_norm", &tokens);
        let hidden = linear_to_onnx(&self.mlp_hidden, graph, "mlp_hidden", &normed);
        let hidden = graph.gelu(&hidden);
        let output = linear_to_onnx(&self.mlp_output, graph, "mlp_output", &hidden);
        graph.sum(&tokens, &output)
    }
}

/// Multi-head self-attention (Vaswani et al. 2017, section 3.2).
#[derive(Module, Debug)]
struct Attention {
    /// Maps tokens to queries, keys and values, side by side.
    input: Linear,
    output: Linear,
    heads: usize,
}

impl Attention {
    /// What the heads mix from `tokens`, plus `residual`.
    fn forward_add(&self, tokens: Tensor<3>, residual: Tensor<3>) -> Tensor<3> {
        let mixed = attention(self.input.forward(tokens), self.heads);
        self.output.forward_add(mixed, residual)
    }
}

impl ToOnnx for Attention {
    #[expect(clippy::cast_possible_wrap, reason = "the sizes of a network are small")]
    fn to_onnx(&self, graph: &mut Graph, tokens: &Value) -> Value {
        let [width, _] = self.input.weight.dims();
        let (heads, size) = (self.heads as i64, (width / self.heads) as i64);
        let projected = linear_to_onnx(&self.input, graph, "input", tokens);
        // 0 keeps the number of examples and of tokens.
        let projected = graph.reshape(&projected, &[0, 0, 3, heads, size]);
        let queries = graph.at(&projected, 2, 0);
        let keys = graph.at(&projected, 2, 1);
        let values = graph.at(&projected, 2, 2);
        let queries = graph.transpose(&queries, &[0, 2, 1, 3]); // [n, heads, count, size]
        let keys = graph.transpose(&keys, &[0, 2, 3, 1]); // [n, heads, size, count]
        let values = graph.transpose(&values, &[0, 2, 1, 3]);
        let similarities = graph.matrix_product(&queries, &keys);
        let similarities = graph.scaled(&similarities, (size as f32).sqrt().recip());
        let weights = graph.softmax(&similarities);
        let mixed = graph.matrix_product(&weights, &values);
        let mixed = graph.transpose(&mixed, &[0, 2, 1, 3]);
        let mixed = graph.reshape(&mixed, &[0, 0, width as i64]);
        linear_to_onnx(&self.output, graph, "output", &mixed)
    }
}
