//! A fully connected layer and the normalisation that may follow it.

use burn::module::{Module, Param};
use burn::nn::{BatchNormConfig, Linear, LinearConfig};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use simclr_nn::BatchNorm;
use simclr_onnx::{Graph, ToOnnx, Value};

use crate::onnx::{folded, vector, weights};
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

    /// The layer with its running statistics as one fully connected layer: for inference.
    pub(crate) fn folded(&self) -> Self {
        let Some(norm) = &self.norm else { return self.valid() };
        let [scale, bias] = norm.scale_and_shift();
        let weight = self.linear.weight.val().without_autodiff() * scale.unsqueeze(); // [inputs, outputs]
        let linear =
            Linear { weight: Param::from_tensor(weight), bias: Some(Param::from_tensor(bias)) };
        Self { linear, norm: None }
    }

    pub(crate) fn forward_relu(&self, x: Tensor<2>) -> Tensor<2> {
        let x = self.linear.forward(x);
        match &self.norm {
            Some(norm) => norm.forward_relu(x),
            None => relu(x),
        }
    }
}

impl ToOnnx for LinearNorm {
    /// With ReLU after it. The normalisation is part of the layer.
    fn to_onnx(&self, graph: &mut Graph, input: &Value) -> Value {
        let weight = weights(&self.linear.weight);
        let bias = self.linear.bias.as_ref().map(vector);
        let outputs = weight.shape()[1];
        let (weight, bias) = match &self.norm {
            None => (weight, bias),
            Some(norm) => {
                let (weight, bias) = folded(norm, weight, bias.as_deref(), |index| index % outputs);
                (weight, Some(bias))
            }
        };
        let x = graph.linear(input, "linear", &weight, bias);
        graph.relu(&x)
    }
}
