//! The building block of a vision transformer.

use burn::module::Module;
use burn::nn::{LayerNormConfig, LinearConfig};
use burn::tensor::Tensor;
use simclr_nn::{LayerNorm, Linear, attention};

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
