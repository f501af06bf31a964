//! A fully connected layer and the normalisation that follows it.

use burn::module::Module;
use burn::nn::{BatchNormConfig, Linear, LinearConfig};
use burn::tensor::Tensor;
use simclr_nn::BatchNorm;

use crate::weight_init::WeightInit;

/// A fully connected layer followed by batch normalisation (eps 1e-5, momentum 0.1). It has no bias: the
/// normalisation's beta takes its place.
#[derive(Module, Debug)]
pub(crate) struct LinearNorm {
    linear: Linear,
    norm: BatchNorm,
}

impl LinearNorm {
    pub(crate) fn new(inputs: usize, outputs: usize, init: &mut WeightInit) -> Self {
        let linear = init.linear(&LinearConfig::new(inputs, outputs).with_bias(false));
        Self { linear, norm: BatchNormConfig::new(outputs).init(init.device()).into() }
    }

    pub(crate) fn forward_relu(&self, x: Tensor<2>) -> Tensor<2> {
        self.norm.forward_relu(self.linear.forward(x))
    }
}
