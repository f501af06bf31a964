//! The building block of a vision transformer.

use burn::module::{Module, Param};
use burn::nn::{LayerNormConfig, LinearConfig};
use burn::tensor::Tensor;
use simclr_nn::{LayerNorm, Linear, PackedLinear, attention};
use simclr_onnx::{Graph, Value};

use super::block_layer::{BlockLayer, without_keys};
use super::family::VisionTransformerFamily;
use super::rotary::{OnnxRotations, Rotations};
use crate::layers::{layer_norm_to_onnx, linear_to_onnx};
use crate::onnx::weights;
use crate::weight_init::WeightInit;

/// How many times as long as a token the hidden layer of its perceptron is.
const MLP_EXPANSION: usize = 4;

/// x + attention(norm(x)), then x + perceptron(norm(x)) (Dosovitskiy et al. 2020, equations 2 and 3). Both branches may
/// have a learnt factor for each channel (Touvron et al. 2021, "Going deeper with Image Transformers", equation 3).
#[derive(Module, Debug)]
pub(super) struct TransformerBlock<L = Linear> {
    attention_norm: LayerNorm,
    attention: Attention<L>,
    attention_scale: Option<Param<Tensor<1>>>,
    mlp_norm: LayerNorm,
    mlp_hidden: L,
    mlp_output: L,
    mlp_scale: Option<Param<Tensor<1>>>,
}

impl TransformerBlock {
    /// Tokens have length `width`, a multiple of `heads`; weights have the standard deviation `std`.
    pub(super) fn new(
        [width, heads]: [usize; 2],
        family: VisionTransformerFamily,
        std: f64,
        init: &mut WeightInit,
    ) -> Self {
        let config = LayerNormConfig::new(width).with_epsilon(family.layer_norm_epsilon());
        let mut linear = |inputs: usize, outputs: usize, bias: bool| {
            let config = LinearConfig::new(inputs, outputs).with_bias(bias);
            init.truncated_normal_linear(&config, std).into()
        };
        let hidden = MLP_EXPANSION * width;
        let attention = Attention {
            input: linear(width, 3 * width, family.has_query_bias()),
            output: linear(width, width, true),
            heads,
            has_key_bias: family.has_key_bias(),
        };
        let (mlp_hidden, mlp_output) = (linear(width, hidden, true), linear(hidden, width, true));
        let scale = || {
            let value = family.new_layer_scale()?;
            Some(Param::from_tensor(Tensor::full([width], value, init.device())))
        };
        Self {
            attention_norm: LayerNorm::new(&config, init.device()),
            attention,
            attention_scale: scale(),
            mlp_norm: LayerNorm::new(&config, init.device()),
            mlp_hidden,
            mlp_output,
            mlp_scale: scale(),
        }
    }

    /// The block for inference.
    pub(super) fn packed(&self) -> TransformerBlock<PackedLinear> {
        TransformerBlock {
            attention_norm: self.attention_norm.clone(),
            attention: Attention {
                input: PackedLinear::new(&self.attention.counted_input()),
                output: packed(&self.attention.output, self.attention_scale.as_ref()),
                heads: self.attention.heads,
                has_key_bias: true,
            },
            attention_scale: None,
            mlp_norm: self.mlp_norm.clone(),
            mlp_hidden: PackedLinear::new(&self.mlp_hidden),
            mlp_output: packed(&self.mlp_output, self.mlp_scale.as_ref()),
            mlp_scale: None,
        }
    }

    /// The block in a graph.
    pub(super) fn to_onnx(
        &self,
        graph: &mut Graph,
        tokens: &Value,
        rotations: Option<&OnnxRotations>,
    ) -> Value {
        let normed = layer_norm_to_onnx(&self.attention_norm, graph, "attention_norm", tokens);
        let attended =
            graph.within("attention", |graph| self.attention.to_onnx(graph, &normed, rotations));
        let attended = scaled(self.attention_scale.as_ref(), graph, "attention_scale", attended);
        let tokens = graph.sum(tokens, &attended);
        let normed = layer_norm_to_onnx(&self.mlp_norm, graph, "mlp_norm", &tokens);
        let hidden = linear_to_onnx(&self.mlp_hidden, graph, "mlp_hidden", &normed);
        let hidden = graph.gelu(&hidden);
        let output = linear_to_onnx(&self.mlp_output, graph, "mlp_output", &hidden);
        let output = scaled(self.mlp_scale.as_ref(), graph, "mlp_scale", output);
        graph.sum(&tokens, &output)
    }
}

impl<L: BlockLayer> TransformerBlock<L> {
    /// `tokens` and output: `[n, tokens, width]`.
    pub(super) fn forward(&self, tokens: Tensor<3>, rotations: Option<&Rotations>) -> Tensor<3> {
        let [attention_scale, mlp_scale] =
            [&self.attention_scale, &self.mlp_scale].map(|scale| scale.as_ref().map(Param::val));
        let mixed = self.attention.mixed(self.attention_norm.forward(tokens.clone()), rotations);
        let tokens = self.attention.output.add_to(tokens, mixed, attention_scale);
        let hidden = self.mlp_hidden.forward_gelu(self.mlp_norm.forward(tokens.clone()));
        self.mlp_output.add_to(tokens, hidden, mlp_scale)
    }
}

/// A branch's last layer for inference, with the branch's scale in its weight and bias.
fn packed(layer: &Linear, scale: Option<&Param<Tensor<1>>>) -> PackedLinear {
    let Some(scale) = scale else { return PackedLinear::new(layer) };
    let scale = scale.val().without_autodiff();
    let weight = layer.weight.val().without_autodiff() * scale.clone().unsqueeze();
    let bias = layer.bias.as_ref().map(|bias| bias.val().without_autodiff() * scale);
    let bias = bias.map(Param::from_tensor);
    PackedLinear::new(&Linear { weight: Param::from_tensor(weight), bias })
}

fn scaled(scale: Option<&Param<Tensor<1>>>, graph: &mut Graph, name: &str, branch: Value) -> Value {
    let Some(scale) = scale else { return branch };
    let scale = graph.weights(name, &weights(scale));
    graph.product(&branch, &scale)
}

/// Multi-head self-attention (Vaswani et al. 2017, section 3.2).
#[derive(Module, Debug)]
struct Attention<L = Linear> {
    /// Maps tokens to queries, keys and values, side by side.
    input: L,
    output: L,
    heads: usize,
    /// Whether what `input` adds to keys counts.
    has_key_bias: bool,
}

impl<L: BlockLayer> Attention<L> {
    /// What the heads mix from `tokens`, before the output layer.
    fn mixed(&self, tokens: Tensor<3>, rotations: Option<&Rotations>) -> Tensor<3> {
        let projected = self.input.queries_keys_values(tokens, self.has_key_bias);
        let projected = match rotations {
            Some(rotations) => rotations.apply(projected, self.heads),
            None => projected,
        };
        attention(projected, self.heads)
    }
}

impl Attention {
    /// The input layer, with zeros in its bias where it doesn't count: for inference.
    fn counted_input(&self) -> Linear {
        let Linear { weight, bias } = &self.input;
        let counted = |bias: &Param<Tensor<1>>| {
            Param::from_tensor(without_keys(&bias.val().without_autodiff()))
        };
        let bias = if self.has_key_bias { bias.clone() } else { bias.as_ref().map(counted) };
        Linear { weight: weight.clone(), bias }
    }

    #[expect(clippy::cast_possible_wrap, reason = "the sizes of a network are small")]
    fn to_onnx(
        &self,
        graph: &mut Graph,
        tokens: &Value,
        rotations: Option<&OnnxRotations>,
    ) -> Value {
        let [width, _] = self.input.weight.dims();
        let (heads, size) = (self.heads as i64, (width / self.heads) as i64);
        let projected = linear_to_onnx(&self.counted_input(), graph, "input", tokens);
        // 0 keeps the number of examples and of tokens.
        let projected = graph.reshape(&projected, &[0, 0, 3, heads, size]);
        let mut queries = graph.at(&projected, 2, 0);
        let mut keys = graph.at(&projected, 2, 1);
        let values = graph.at(&projected, 2, 2);
        if let Some(rotations) = rotations {
            queries = rotations.apply(graph, &queries, size / 2);
            keys = rotations.apply(graph, &keys, size / 2);
        }
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
