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
/// The paper writes g(h) = W2 relu(W1 h), without batch normalisation (Chen et al. 2020, section 2.1), and google's code
/// normalises after both layers. Each of the three usual heads has a constructor:
///
/// | | layers | batch normalisation |
/// |---|---|---|
/// | [`paper_formula`](Self::paper_formula) | 2 | none |
/// | [`default`](Self::default) | 2 | after the hidden layer |
/// | [`v1`](Self::v1), [`v2`](Self::v2): google's code | 2, 3 | after every layer |
///
/// ```
/// use simclr_model::ProjectionHeadConfig;
///
/// let head = ProjectionHeadConfig { output_size: 64, ..ProjectionHeadConfig::v2() };
/// assert_eq!((head.layers, head.hidden_norm, head.output_norm), (3, true, true));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectionHeadConfig {
    /// Number of linear layers, in 1..=4. Batch normalisation (see [`hidden_norm`](Self::hidden_norm)) and ReLU follow
    /// all but the last.
    #[serde(default = "two_layers", skip_serializing_if = "is_two")]
    pub layers: usize,
    /// Length of the hidden layers, at least 1; `None` takes the encoder's feature size, as the papers do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden_size: Option<usize>,
    /// Length of a projection z, at least 1: 128 in the paper, where 32 to 2048 do equally well (section 4.2).
    pub output_size: usize,
    /// Whether batch normalisation follows the hidden layers; it does if the field is absent. It then takes the place of
    /// their biases. A head of one layer has none.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub hidden_norm: bool,
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

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_yes(value: &bool) -> bool {
    *value
}

impl Default for ProjectionHeadConfig {
    /// Two layers with a hidden size as long as the features and 128 outputs. The last layer has a bias and no
    /// normalisation, as in the paper's formula; the hidden one is normalised, as in google's code.
    fn default() -> Self {
        Self {
            layers: two_layers(),
            hidden_size: None,
            output_size: 128,
            hidden_norm: true,
            output_norm: false,
        }
    }
}

impl ProjectionHeadConfig {
    /// The head that the paper writes, g(h) = W2 relu(W1 h) (Chen et al. 2020, section 2.1): two layers with biases, no
    /// normalisation. The paper's results come from google's code, whose head is [`v1`](Self::v1).
    ///
    /// ```
    /// use simclr_model::ProjectionHeadConfig;
    ///
    /// let head = ProjectionHeadConfig::paper_formula();
    /// assert_eq!((head.layers, head.hidden_norm, head.output_norm), (2, false, false));
    /// assert_eq!((head.hidden_size, head.output_size), (None, 128)); // as long as the features; 128
    /// ```
    #[must_use]
    pub fn paper_formula() -> Self {
        Self { hidden_norm: false, ..Self::default() }
    }

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
            hidden.push(LinearNorm::new(inputs, hidden_size, self.hidden_norm, init));
            inputs = hidden_size;
        }
        let output = LinearConfig::new(inputs, self.output_size).with_bias(!self.output_norm);
        let output = init.linear(&output);
        let norm = self.output_norm.then(|| BatchNormConfig::new(self.output_size).init(device));
        Ok(ProjectionHead { hidden, output, output_norm: norm.map(BatchNorm::from) })
    }
}

/// Maps features h to projections z: linear, batch norm and ReLU for each hidden layer, then a linear layer, with batch
/// norm where the config says so.
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
    use crate::module_tensors::module_tensors;

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
        // Without it, 8 x 8 weights and 8 biases.
        for (layers, hidden_norm, output_norm, expected) in [
            (1, true, false, 8 * 5 + 5),
            (1, false, true, 8 * 5 + 4 * 5),
            (2, true, false, (64 + 32) + 8 * 5 + 5),
            (2, false, false, (64 + 8) + 8 * 5 + 5),
            (3, true, true, 2 * (64 + 32) + 8 * 5 + 4 * 5),
            (3, false, true, 2 * (64 + 8) + 8 * 5 + 4 * 5),
            (4, true, false, 3 * (64 + 32) + 8 * 5 + 5),
        ] {
            let config = ProjectionHeadConfig {
                layers,
                hidden_size: None,
                output_size: 5,
                hidden_norm,
                output_norm,
            };
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

    /// The values of a head's parameter.
    fn values(head: &ProjectionHead, name: &str) -> Vec<f64> {
        let tensors = module_tensors(head);
        let tensor = tensors.iter().find(|tensor| tensor.name() == name).expect(name);
        tensor.values().to_data_as::<f64>().iter::<f64>().collect()
    }

    /// W x + b, with weights `[inputs, outputs]` as Burn has them.
    fn linear(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
        let outputs = bias.len();
        let sum = |o: usize| {
            x.iter().enumerate().map(|(i, x)| x * weight[i * outputs + o]).sum::<f64>() + bias[o]
        };
        (0..outputs).map(sum).collect()
    }

    #[test]
    fn the_papers_formula_is_a_layer_a_relu_and_a_layer_of_each_example_by_itself() {
        let device = Device::flex().autodiff();
        let config =
            ProjectionHeadConfig { output_size: 3, ..ProjectionHeadConfig::paper_formula() };
        let head = config.init(4, 7, &device).unwrap();
        let rows = [[1.0, -2.0, 0.5, 3.0], [-1.0, 0.25, 2.0, -0.5]];
        let z = head.forward(Tensor::<2>::from_data(rows, &device)).into_data();
        let z: Vec<f64> = z.iter::<f64>().collect();
        let [w1, b1, w2, b2] =
            ["hidden.0.linear.weight", "hidden.0.linear.bias", "output.weight", "output.bias"]
                .map(|name| values(&head, name));
        let mut off = 0;
        for (row, z) in rows.iter().zip(z.chunks(3)) {
            let hidden: Vec<f64> = linear(row, &w1, &b1).into_iter().map(|x| x.max(0.0)).collect();
            off += hidden.iter().filter(|x| **x == 0.0).count();
            for (found, expected) in z.iter().zip(linear(&hidden, &w2, &b2)) {
                assert!((found - expected).abs() < 1e-6, "expected {expected}, found {found}");
            }
        }
        assert!((1..8).contains(&off), "ReLU has to act, and not on everything: {off} of 8");
    }

    #[test]
    fn a_head_without_normalisation_learns_in_all_of_its_parameters() {
        let device = Device::flex().autodiff();
        let head = ProjectionHeadConfig::paper_formula().init(4, 7, &device).unwrap();
        let features = Tensor::<2>::from_data([[1.0, -2.0, 0.5, 3.0]], &device);
        let gradients = head.forward(features).powi_scalar(2).sum().backward();
        let tensors = module_tensors(&head);
        assert_eq!(tensors.len(), 4);
        for tensor in tensors {
            let gradient = tensor.gradient(&gradients).expect("a gradient");
            let largest = gradient.abs().max().into_scalar::<f32>();
            assert!(largest > 0.0, "{}", tensor.name());
        }
    }

    #[test]
    fn a_config_of_before_normalises_its_hidden_layers() {
        let read = |json| serde_json::from_str::<ProjectionHeadConfig>(json).unwrap();
        assert_eq!(read(r#"{"output_size": 128}"#), ProjectionHeadConfig::default());
        let formula = ProjectionHeadConfig::paper_formula();
        let json = serde_json::to_string(&formula).unwrap();
        assert_eq!(json, r#"{"output_size":128,"hidden_norm":false}"#);
        assert_eq!(read(&json), formula);
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
