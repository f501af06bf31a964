//! Fully connected encoders, for vectors or small images.

mod published_names;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use simclr_onnx::{Graph, ToOnnx, Value};
use simclr_range::OutOfRange;

use crate::encoder::{Encoder, as_it_is};
use crate::error::{ModelError, check_size};
use crate::inference::Inference;
use crate::layers::{Dropout, ExampleKeys, LinearNorm};
use crate::onnx::{vector, weights};
use crate::weight_init::WeightInit;

/// Describes an [`Mlp`].
///
/// ```
/// use burn::tensor::{DType, Device, Tensor};
/// use simclr_model::{Encoder, MlpConfig};
///
/// let config = MlpConfig::new(20, vec![64, 64], 16);
/// let encoder = config.init(0, &Device::flex())?;
/// let h = encoder.encode(Tensor::zeros([5, 20], &Device::flex()));
/// assert_eq!(h.dims(), [5, 16]);
///
/// let plain = MlpConfig { norm: false, dropout: 0.2, ..config };
/// # let _ = plain.init(0, &Device::flex())?;
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpConfig {
    /// Length of an input vector, at least 1.
    pub input_size: usize,
    /// Lengths of the hidden layers, each at least 1. Without any, the encoder is a single linear map.
    #[serde(default)]
    pub hidden_sizes: Vec<usize>,
    /// Length of a feature vector, at least 1.
    pub feature_size: usize,
    /// Whether batch normalisation follows the hidden layers; it does if the field is absent. Without it, every layer has
    /// a bias instead.
    #[serde(default = "yes")]
    pub norm: bool,
    /// The probability, in 0..1, of dropping a unit of a hidden layer in training; 0 if the field is absent.
    #[serde(default)]
    pub dropout: f64,
}

fn yes() -> bool {
    true
}

impl MlpConfig {
    /// The network with batch normalisation and without dropout.
    #[must_use]
    pub fn new(input_size: usize, hidden_sizes: Vec<usize>, feature_size: usize) -> Self {
        Self { input_size, hidden_sizes, feature_size, norm: true, dropout: 0.0 }
    }

    /// Checks the dropout.
    pub(crate) fn check_dropout(dropout: f64) -> Result<(), OutOfRange> {
        OutOfRange::unless((0.0..1.0).contains(&dropout), "dropout", "in 0..1", dropout)
    }

    /// Builds the network with weights drawn from `seed`.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`] if a size is zero, or the dropout not in 0..1.
    pub fn init(&self, seed: u64, device: &Device) -> Result<Mlp, ModelError> {
        check_size("input_size", self.input_size)?;
        for (layer, &size) in self.hidden_sizes.iter().enumerate() {
            let field = format!("hidden_sizes[{layer}]");
            OutOfRange::unless(size > 0, field, "at least 1", size)?;
        }
        check_size("feature_size", self.feature_size)?;
        Self::check_dropout(self.dropout)?;
        let init = &mut WeightInit::new(seed, device);
        let mut inputs = self.input_size;
        let mut hidden = Vec::new();
        for &size in &self.hidden_sizes {
            hidden.push(LinearNorm::new(inputs, size, self.norm, init));
            inputs = size;
        }
        let output = LinearConfig::new(inputs, self.feature_size).with_bias(!self.norm);
        let output = init.linear(&output);
        let dropout = hidden.iter().filter_map(|_| Dropout::new(self.dropout, init)).collect();
        Ok(Mlp { hidden, dropout, output, feature_size: self.feature_size })
    }
}

/// Linear, batch norm, ReLU and dropout for each hidden layer, and a linear layer for the features.
///
/// The layers are those of `torchvision.ops.MLP(inputs, sizes, norm_layer=BatchNorm1d, bias=False)`, and without
/// normalisation those of `torchvision.ops.MLP(inputs, sizes)`. That class drops features, too, if it drops at all; this
/// one drops units of hidden layers alone. Which ones is a function of the example, the layer and the seed, so that a view
/// that is encoded twice (chunk by chunk, or again after a resume) loses the same units both times.
#[derive(Module, Debug)]
pub struct Mlp {
    hidden: Vec<LinearNorm>,
    /// One for each hidden layer, or none.
    dropout: Vec<Dropout>,
    output: Linear,
    feature_size: usize,
}

impl Encoder for Mlp {
    /// Vectors `[n, input_size]`.
    type Input = Tensor<2>;

    fn encode(&self, input: Tensor<2>) -> Tensor<2> {
        let mut x = input.clone().cast(self.output.weight.dtype());
        if self.dropout.is_empty() {
            x = self.hidden.iter().fold(x, |x, layer| layer.forward_relu(x));
        } else {
            let keys = ExampleKeys::of_vectors(&input);
            for (layer, dropout) in self.hidden.iter().zip(&self.dropout) {
                x = dropout.forward(layer.forward_relu(x), &keys);
            }
        }
        self.output.forward(x)
    }

    fn inference(&self) -> Inference<Tensor<2>> {
        if self.output.weight.dtype() != DType::F32 {
            return as_it_is(self);
        }
        let hidden = self.hidden.iter().map(LinearNorm::folded).collect();
        as_it_is(&Self { hidden, ..self.clone() })
    }

    fn feature_size(&self) -> usize {
        self.feature_size
    }
}

impl ToOnnx for Mlp {
    fn to_onnx(&self, graph: &mut Graph, input: &Value) -> Value {
        let hidden = self.hidden.iter().enumerate().fold(input.clone(), |x, (place, layer)| {
            graph.within(&format!("hidden.{place}"), |graph| layer.to_onnx(graph, &x))
        });
        let bias = self.output.bias.as_ref().map(vector);
        graph.linear(&hidden, "output", &weights(&self.output.weight), bias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_size_can_be_zero() {
        for (field, [input_size, hidden, feature_size]) in
            [("input_size", [0, 2, 3]), ("hidden_sizes[1]", [1, 0, 3]), ("feature_size", [1, 2, 0])]
        {
            let config = MlpConfig::new(input_size, vec![2, hidden], feature_size);
            let error = config.init(0, &Device::flex()).unwrap_err();
            assert_eq!(error.to_string(), format!("expected {field} to be at least 1, found 0"));
        }
    }

    #[test]
    fn without_hidden_layers_it_is_linear() {
        let device = Device::flex();
        let config = MlpConfig::new(3, vec![], 2);
        let net = config.init(1, &device).unwrap();
        let x = Tensor::<2>::from_data([[1.0, -2.0, 3.0]], &device);
        let twice = net.encode(x.clone() * 2.0);
        twice.into_data().assert_approx_eq::<f32>(
            &(net.encode(x) * 2.0).into_data(),
            burn::tensor::Tolerance::absolute(1e-6),
        );
    }
    #[test]
    fn a_dropout_that_leaves_nothing_is_refused() {
        for dropout in [1.0, -0.1, f64::NAN] {
            let config = MlpConfig { dropout, ..MlpConfig::new(3, vec![4], 2) };
            assert_eq!(
                config.init(0, &Device::flex()).unwrap_err().to_string(),
                format!("expected dropout to be in 0..1, found {dropout}")
            );
        }
    }

    #[test]
    fn dropout_changes_training_alone_and_no_weight() {
        let plain = MlpConfig::new(6, vec![50, 50], 4);
        let dropping = MlpConfig { dropout: 0.5, ..plain.clone() };
        let encode = |config: &MlpConfig, device: &Device| -> Vec<f32> {
            let rows = [[1.0, -2.0, 3.0, 0.5, 0.0, 1.0], [0.1, 0.2, -0.3, 0.4, 0.5, -0.6]];
            let x = Tensor::<2>::from_data(rows, device);
            config.init(1, device).unwrap().encode(x).into_data().try_to_vec().unwrap()
        };
        let (still, trained) = (Device::flex(), Device::flex().autodiff());
        assert_eq!(encode(&plain, &still), encode(&dropping, &still));
        assert_ne!(encode(&plain, &trained), encode(&dropping, &trained));
        assert_eq!(encode(&dropping, &trained), encode(&dropping, &trained));
    }

    #[test]
    fn without_normalisation_every_layer_has_a_bias_and_one_example_is_enough() {
        let device = Device::flex().autodiff();
        let config = MlpConfig { norm: false, ..MlpConfig::new(3, vec![5], 2) };
        let net = config.init(1, &device).unwrap();
        assert_eq!(crate::count_parameters(&net), (3 * 5 + 5) + (5 * 2 + 2));
        let x = Tensor::<2>::from_data([[1.0, -2.0, 3.0]], &device);
        let alone: Vec<f32> = net.encode(x.clone()).into_data().try_to_vec().unwrap();
        let two = Tensor::cat(vec![x.clone(), x * -4.0], 0);
        let beside: Vec<f32> = net.encode(two).into_data().try_to_vec().unwrap();
        for (alone, beside) in alone.iter().zip(&beside) {
            assert!((alone - beside).abs() < 1e-6, "{alone} alone, {beside} beside another");
        }
    }
}
