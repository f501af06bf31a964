//! The head g(h) that the loss sees and nobody keeps.

use burn::module::Module;
use burn::nn::{BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use simclr_cnn::BatchNorm;

use crate::error::ModelError;
use crate::weight_init::WeightInit;

/// Describes a [`ProjectionHead`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectionHeadConfig {
    /// Length of the hidden layer; `None` takes the encoder's feature size, as the paper does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_size: Option<usize>,
    /// Length of a projection z: 128 in the paper (section 4.2: 32 to 2048 do equally well).
    pub output_size: usize,
}

impl Default for ProjectionHeadConfig {
    /// The paper's head: hidden size as the features, 128 outputs.
    fn default() -> Self {
        Self { hidden_size: None, output_size: 128 }
    }
}

impl ProjectionHeadConfig {
    /// Builds the head for features of length `feature_size`, with weights drawn from `seed`.
    ///
    /// # Errors
    ///
    /// [`ModelError::ZeroSize`] if a size is zero.
    pub fn init(
        &self,
        feature_size: usize,
        seed: u64,
        device: &Device,
    ) -> Result<ProjectionHead, ModelError> {
        let hidden_size = self.hidden_size.unwrap_or(feature_size);
        for (field, size) in [
            ("feature size", feature_size),
            ("hidden_size", hidden_size),
            ("output_size", self.output_size),
        ] {
            if size == 0 {
                return Err(ModelError::ZeroSize { field });
            }
        }
        let init = &mut WeightInit::new(seed, device);
        Ok(ProjectionHead {
            // The normalisation's beta takes the bias's place.
            hidden: init.linear(&LinearConfig::new(feature_size, hidden_size).with_bias(false)),
            norm: BatchNormConfig::new(hidden_size).init(device).into(),
            output: init.linear(&LinearConfig::new(hidden_size, self.output_size)),
        })
    }
}

/// Linear - batch norm - ReLU - linear: features h to the projections z that are contrasted.
///
/// Contrasting z rather than h leaves h free to keep what the augmentation destroys, such as colour:
/// more than 10 points on ImageNet (Chen et al. 2020, section 4.2).
#[derive(Module, Debug)]
pub struct ProjectionHead {
    hidden: Linear,
    norm: BatchNorm,
    output: Linear,
}

impl ProjectionHead {
    /// The projections, not yet scaled to length one: the loss does that.
    ///
    /// # Shapes
    ///
    /// - `features`: `[n, feature_size]`
    /// - output: `[n, output_size]`
    #[must_use]
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let hidden = self.norm.forward_relu(self.hidden.forward(features));
        self.output.forward(hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_head_goes_from_the_features_to_128() {
        let device = Device::flex();
        let head = ProjectionHeadConfig::default().init(32, 0, &device).unwrap();
        assert_eq!(head.forward(Tensor::ones([3, 32], &device)).dims(), [3, 128]);
    }

    #[test]
    fn no_size_can_be_zero() {
        let config = ProjectionHeadConfig { hidden_size: Some(0), output_size: 8 };
        let error = config.init(4, 0, &Device::flex()).unwrap_err();
        assert_eq!(error.to_string(), "expected hidden_size of at least 1, found 0");
    }
}
