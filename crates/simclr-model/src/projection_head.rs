//! The head g(h), which is there for the loss alone and is thrown away after training.

use burn::module::Module;
use burn::nn::{BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use simclr_nn::BatchNorm;
use simclr_range::OutOfRange;

use crate::error::{ModelError, check_size};
use crate::layers::LinearNorm;
use crate::weight_init::WeightInit;

/// The largest number of layers.
const MOST_LAYERS: usize = 4;

/// Describes a [`ProjectionHead`].
///
/// The paper writes g(h) = W2 relu(W1 h), without batch normalisation (Chen et al. 2020, section 2.1). google's code
/// normalises after both layers. Every head here normalises its hidden layers; [`output_norm`](Self::output_norm)
/// decides about the last.
///
/// ```
/// use simclr_model::ProjectionHeadConfig;
///
/// let head = ProjectionHeadConfig { output_size: 64, ..ProjectionHeadConfig::v2() };
/// assert_eq!((head.layers, head.output_norm), (3, true));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectionHeadConfig {
    /// Number of linear layers, in 1..=4. Batch normalisation and ReLU follow all but the last.
    #[serde(default = "two_layers", skip_serializing_if = "is_two")]
    pub layers: usize,
    /// Length of the hidden layers, at least 1; `None` takes the encoder's feature size, as the papers do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_size: Option<usize>,
    /// Length of a projection z, at least 1: 128 in the paper, where 32 to 2048 do equally well (section 4.2).
    pub output_size: usize,
    /// Whether batch normalisation follows the last layer, too. It then takes the place of the layer's bias.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub output_norm: bool,
}

fn two_layers() -> usize {
    2
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_two(layers: &usize) -> bool {
    *layers == two_layers()
}

impl Default for ProjectionHeadConfig {
    /// Two layers with a hidden size as long as the features and 128 outputs. The last layer has a bias and no
    /// normalisation, as in the paper's formula; the hidden one is normalised, as in google's code.
    fn default() -> Self {
        Self { layers: two_layers(), hidden_size: None, output_size: 128, output_norm: false }
    }
}

impl ProjectionHeadConfig {
    /// The head of SimCLR in google's code (`projection_head` in `model_util.py`): two layers, both normalised.
    #[must_use]
    pub fn v1() -> Self {
        Self { output_norm: true, ..Self::default() }
    }

    /// The head of SimCLR v2 (Chen et al. 2020, "Big self-supervised models", section 2): three layers, all
    /// normalised.
    #[must_use]
    pub fn v2() -> Self {
        Self { layers: 3, ..Self::v1() }
    }

    /// Builds the head for features of length `feature_size`, with weights drawn from `seed`.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`] if a size is zero, or the number of layers is not in 1..=4.
    pub fn init(
        &self,
        feature_size: usize,
        seed: u64,
        device: &Device,
    ) -> Result<ProjectionHead, ModelError> {
        let hidden_size = self.hidden_size.unwrap_or(feature_size);
        check_size("feature_size", feature_size)?;
        check_size("hidden_size", hidden_size)?;
        check_size("output_size", self.output_size)?;
        let legal = (1..=MOST_LAYERS).contains(&self.layers);
        OutOfRange::unless(legal, "layers", format!("in 1..={MOST_LAYERS}"), self.layers)?;
        let init = &mut WeightInit::new(seed, device);
        let mut inputs = feature_size;
        let mut hidden = Vec::new();
        for _ in 1..self.layers {
            hidden.push(LinearNorm::new(inputs, hidden_size, init));
            inputs = hidden_size;
        }
        let output = LinearConfig::new(inputs, self.output_size).with_bias(!self.output_norm);
        let output = init.linear(&output);
        let norm = self.output_norm.then(|| BatchNormConfig::new(self.output_size).init(device));
        Ok(ProjectionHead { hidden, output, output_norm: norm.map(BatchNorm::from) })
    }
}

/// Maps features h to projections z: linear, batch norm and ReLU for each hidden layer, then a linear layer, with batch
/// norm if the config says so.
///
/// The loss contrasts z, so that h may keep what the augmentation destroys, such as colour. On ImageNet that gains more
/// than 10 points (Chen et al. 2020, section 4.2).
#[derive(Module, Debug)]
pub struct ProjectionHead {
    hidden: Vec<LinearNorm>,
    output: Linear,
    output_norm: Option<BatchNorm>,
}

impl ProjectionHead {
    /// The projections. The loss scales them to length 1.
    ///
    /// # Shapes
    ///
    /// - `features`: `[n, feature_size]`
    /// - output: `[n, output_size]`
    #[must_use]
    pub fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        let hidden = self.hidden.iter().fold(features, |x, layer| layer.forward_relu(x));
        let z = self.output.forward(hidden);
        match &self.output_norm {
            Some(norm) => norm.forward(z),
            None => z,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(config: ProjectionHeadConfig) -> String {
        config.init(4, 0, &Device::flex()).unwrap_err().to_string()
    }

    #[test]
    fn the_default_head_goes_from_the_features_to_128() {
        let device = Device::flex();
        let head = ProjectionHeadConfig::default().init(32, 0, &device).unwrap();
        assert_eq!(head.forward(Tensor::ones([3, 32], &device)).dims(), [3, 128]);
    }

    #[test]
    fn each_layer_adds_a_matrix_and_a_normalisation() {
        let device = Device::flex();
        // A hidden layer has 8 x 8 weights and 4 x 8 numbers of its normalisation, running statistics included.
        for (layers, output_norm, expected) in [
            (1, false, 8 * 5 + 5),
            (1, true, 8 * 5 + 4 * 5),
            (2, false, (64 + 32) + 8 * 5 + 5),
            (3, true, 2 * (64 + 32) + 8 * 5 + 4 * 5),
            (4, false, 3 * (64 + 32) + 8 * 5 + 5),
        ] {
            let config =
                ProjectionHeadConfig { layers, output_norm, hidden_size: None, output_size: 5 };
            let head = config.init(8, 0, &device).unwrap();
            assert_eq!(head.num_params(), expected, "{config:?}");
            assert_eq!(head.forward(Tensor::ones([2, 8], &device)).dims(), [2, 5]);
        }
    }

    #[test]
    fn projections_of_the_presets_are_normalised_over_the_batch() {
        let device = Device::flex().autodiff();
        let features = Tensor::<2>::from_data([[1.0, 2.0], [-1.0, 0.5], [3.0, -2.0]], &device);
        for preset in [ProjectionHeadConfig::v1(), ProjectionHeadConfig::v2()] {
            let z = preset.init(2, 3, &device).unwrap().forward(features.clone());
            let mean = z.mean_dim(0).abs().max().into_scalar::<f32>();
            assert!(mean < 1e-6, "{mean}");
        }
    }

    #[test]
    fn no_size_can_be_zero() {
        let config = ProjectionHeadConfig {
            hidden_size: Some(0),
            output_size: 8,
            ..ProjectionHeadConfig::default()
        };
        assert_eq!(message(config), "expected hidden_size to be at least 1, found 0");
    }

    #[test]
    fn a_head_has_one_to_four_layers() {
        for layers in [0, 5] {
            assert_eq!(
                message(ProjectionHeadConfig { layers, ..ProjectionHeadConfig::default() }),
                format!("expected layers to be in 1..=4, found {layers}")
            );
        }
    }
}
