//! What a block asks of its fully connected layers, whether it trains or is for inference alone.

use burn::tensor::Tensor;
use simclr_nn::{Linear, PackedLinear};

/// A fully connected layer of a block.
pub(super) trait BlockLayer {
    /// Queries, keys and values of tokens. Unless `key_bias`, what the layer's bias adds to keys counts for nothing.
    fn queries_keys_values(&self, tokens: Tensor<3>, key_bias: bool) -> Tensor<3>;

    /// GELU of the output.
    fn forward_gelu(&self, x: Tensor<3>) -> Tensor<3>;

    /// `residual` plus the output, which has a factor for each channel if there is a `scale`.
    fn add_to(&self, residual: Tensor<3>, x: Tensor<3>, scale: Option<Tensor<1>>) -> Tensor<3>;
}

impl BlockLayer for Linear {
    fn queries_keys_values(&self, tokens: Tensor<3>, key_bias: bool) -> Tensor<3> {
        match &self.bias {
            Some(bias) if !key_bias => self.forward_biased(tokens, without_keys(&bias.val())),
            _ => self.forward(tokens),
        }
    }

    fn forward_gelu(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward_gelu(x)
    }

    fn add_to(&self, residual: Tensor<3>, x: Tensor<3>, scale: Option<Tensor<1>>) -> Tensor<3> {
        match scale {
            Some(scale) => self.forward_scaled_add(x, scale, residual),
            None => self.forward_add(x, residual),
        }
    }
}

/// What the layers of training do beside their product is part of the weight and the bias already.
impl BlockLayer for PackedLinear {
    fn queries_keys_values(&self, tokens: Tensor<3>, key_bias: bool) -> Tensor<3> {
        assert!(key_bias, "expected a bias without that of the keys");
        self.forward(tokens)
    }

    fn forward_gelu(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward_gelu(x)
    }

    fn add_to(&self, residual: Tensor<3>, x: Tensor<3>, scale: Option<Tensor<1>>) -> Tensor<3> {
        assert!(scale.is_none(), "expected the scale in the weight");
        self.forward_add(x, residual)
    }
}

/// The bias of queries, keys and values, with zeros for the keys.
pub(super) fn without_keys(bias: &Tensor<1>) -> Tensor<1> {
    let width = bias.dims()[0] / 3;
    let [queries, keys, values] = [0, 1, 2].map(|part| bias.clone().narrow(0, part * width, width));
    Tensor::cat(vec![queries, keys.zeros_like(), values], 0)
}
