//! Fully connected encoders, for vectors or small images.

mod published_names;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use crate::encoder::Encoder;
use crate::error::{ModelError, check_size};
use crate::layers::LinearNorm;
use crate::weight_init::WeightInit;

/// Describes an [`Mlp`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_model::{Encoder, MlpConfig};
///
/// let config = MlpConfig { input_size: 20, hidden_sizes: vec![64, 64], feature_size: 16 };
/// let encoder = config.init(0, &Device::flex())?;
/// let h = encoder.encode(Tensor::zeros([5, 20], &Device::flex()));
/// assert_eq!(h.dims(), [5, 16]);
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpConfig {
    /// Length of an input vector, at least 1.
    pub input_size: usize,
    /// Lengths of the hidden layers, each at least 1. Without any, the encoder is a single linear map.
    #[serde(default)]
    pub hidden_sizes: Vec<usize>,
    /// Length of a feature vector, at least 1.
    pub feature_size: usize,
}

impl MlpConfig {
    /// Builds the network with weights drawn from `seed`.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`] if a size is zero.
    pub fn init(&self, seed: u64, device: &Device) -> Result<Mlp, ModelError> {
        check_size("input_size", self.input_size)?;
        for (layer, &size) in self.hidden_sizes.iter().enumerate() {
            let field = format!("hidden_sizes[{layer}]");
            OutOfRange::unless(size > 0, field, "at least 1", size)?;
        }
        check_size("feature_size", self.feature_size)?;
        let init = &mut WeightInit::new(seed, device);
        let mut inputs = self.input_size;
        let mut hidden = Vec::new();
        for &size in &self.hidden_sizes {
            hidden.push(LinearNorm::new(inputs, size, init));
            inputs = size;
        }
        let output = LinearConfig::new(inputs, self.feature_size).with_bias(false);
        let output = init.linear(&output);
        Ok(Mlp { hidden, output, feature_size: self.feature_size })
    }
}

/// Linear, batch norm and ReLU for each hidden layer, and a linear layer for the features.
///
/// The layers are those of `torchvision.ops.MLP(inputs, sizes, norm_layer=BatchNorm1d, bias=False)`.
#[derive(Module, Debug)]
pub struct Mlp {
    hidden: Vec<LinearNorm>,
    output: Linear,
    feature_size: usize,
}

impl Encoder for Mlp {
    /// Vectors `[n, input_size]`.
    type Input = Tensor<2>;

    fn encode(&self, input: Tensor<2>) -> Tensor<2> {
        let input = input.cast(self.output.weight.dtype());
        let x = self.hidden.iter().fold(input, |x, layer| layer.forward_relu(x));
        self.output.forward(x)
    }

    fn feature_size(&self) -> usize {
        self.feature_size
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
            let config = MlpConfig { input_size, hidden_sizes: vec![2, hidden], feature_size };
            let error = config.init(0, &Device::flex()).unwrap_err();
            assert_eq!(error.to_string(), format!("expected {field} to be at least 1, found 0"));
        }
    }

    #[test]
    fn without_hidden_layers_it_is_linear() {
        let device = Device::flex();
        let config = MlpConfig { input_size: 3, hidden_sizes: vec![], feature_size: 2 };
        let net = config.init(1, &device).unwrap();
        let x = Tensor::<2>::from_data([[1.0, -2.0, 3.0]], &device);
        let twice = net.encode(x.clone() * 2.0);
        twice.into_data().assert_approx_eq::<f32>(
            &(net.encode(x) * 2.0).into_data(),
            burn::tensor::Tolerance::absolute(1e-6),
        );
    }
}
