//! A fully connected layer and the normalisation that may follow it.

use burn::module::Module;
use burn::nn::{BatchNormConfig, Linear, LinearConfig};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use simclr_nn::BatchNorm;

use crate::weight_init::WeightInit;

/// A fully connected layer, followed by batch normalisation (eps 1e-5, momentum 0.1) or not. With it, the layer has no
/// bias: the normalisation's beta takes its place.
#[derive(Module, Debug)]
pub(crate) struct LinearNorm {
    linear: Linear,
    norm: Option<BatchNorm>,
}

impl LinearNorm {
    pub(crate) fn new(inputs: usize, outputs: usize, norm: bool, init: &mut WeightInit) -> Self {
        let linear = init.linear(&LinearConfig::new(inputs, outputs).with_bias(!norm));
        let norm = norm.then(|| BatchNormConfig::new(outputs).init(init.device()).into());
        Self { linear, norm }
    }

    pub(crate) fn is_normalised(&self) -> bool {
        self.norm.is_some()
    }

    pub(crate) fn forward_relu(&self, x: Tensor<2>) -> Tensor<2> {
        let x = self.linear.forward(x);
        match &self.norm {
            Some(norm) => norm.forward_relu(x),
            None => relu(x),
        }
    }
}
