//! The parameters that weight decay and LARS's adaptation exclude.

use burn::module::Module;
use serde::{Deserialize, Serialize};
use simclr_model::{ModuleTensor, TensorRole, module_tensors};

/// The parameters that weight decay pulls towards zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DecayScope {
    /// Every parameter, as PyTorch's optimisers do unless told otherwise.
    #[default]
    All,
    /// Only the weights of convolutions and of fully connected layers, without batch norm's gamma and beta and without
    /// biases, as in google's SimCLR.
    Weights,
}

/// The parameters that the optimiser moves, in the module's order.
pub(crate) fn trained_parameters(module: &impl Module) -> Vec<ModuleTensor> {
    module_tensors(module).into_iter().filter(ModuleTensor::requires_grad).collect()
}

/// Whether [`DecayScope::Weights`] excludes a trained parameter: those of one dimension.
///
/// They are the scales and shifts of normalisations and the biases, and nothing else, since a weight that mixes
/// features has inputs and outputs. A list of names would need an entry for every new layer.
pub(crate) fn is_one_dimensional(parameter: &ModuleTensor) -> bool {
    parameter.role == TensorRole::Vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use simclr_model::{Encoder, EncoderConfig, ProjectionHeadConfig, SimClr};

    #[test]
    fn exactly_the_norms_and_biases_of_a_resnet_and_its_head_are_one_dimensional() {
        let device = Device::flex().autodiff();
        let encoder = "resnet18x0.03125_cifar".parse::<EncoderConfig>().unwrap();
        let encoder = encoder.init(1, &device).unwrap();
        let head = ProjectionHeadConfig::default();
        let head = head.init(encoder.feature_size(), 2, &device).unwrap();
        let model = SimClr { encoder, head };
        let mut expected = vec!["encoder.stem.norm".to_owned()];
        for block in 0..8 {
            expected.push(format!("encoder.blocks.{block}.body.0.norm"));
            expected.push(format!("encoder.blocks.{block}.body.1.norm"));
            if [2, 4, 6].contains(&block) {
                expected.push(format!("encoder.blocks.{block}.shortcut.norm"));
            }
        }
        expected.push("head.hidden.0.norm".to_owned());
        let norm = |norm: &String| [format!("{norm}.gamma"), format!("{norm}.beta")];
        let mut expected: Vec<String> = expected.iter().flat_map(norm).collect();
        expected.push("head.output.bias".to_owned());

        let trained = trained_parameters(&model);
        let (vectors, weights): (Vec<_>, Vec<_>) =
            trained.iter().partition(|p| is_one_dimensional(p));
        assert_eq!(vectors.iter().map(|p| p.name()).collect::<Vec<_>>(), expected);
        assert_eq!(weights.len(), 20 + 2, "the convolutions and the two layers of the head");
        assert!(weights.iter().all(|p| p.group_path.ends_with(".weight")), "{weights:?}");
    }
}
