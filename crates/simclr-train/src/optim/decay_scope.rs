//! Which parameters weight decay, and LARS's adaptation, leave alone.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Which parameters weight decay pulls towards zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DecayScope {
    /// Every parameter, as PyTorch's optimisers do unless told otherwise.
    #[default]
    All,
    /// The weights of convolutions and of fully connected layers alone: batch norm's gamma and beta
    /// and all biases are left out, as in google's SimCLR.
    Weights,
}

/// The trained parameters of one dimension, by path (`encoder.stem.norm.gamma`), in the module's
/// order.
///
/// These are the scales and shifts of normalisations and the biases, and nothing else: a weight that
/// mixes features has an input and an output. Names would have to be kept in step with every layer
/// that somebody adds.
pub(crate) fn one_dimensional(module: &impl Module) -> Vec<String> {
    let parameters = trained_parameters(module);
    parameters.into_iter().filter(TrainedParameter::is_one_dimensional).map(|p| p.path).collect()
}

/// A parameter that an optimiser moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrainedParameter {
    /// The names of the modules around it and its own, joined by dots, as Burn's parameter groups have it.
    pub(crate) path: String,
    /// The same without enums' variants: which network an encoder is doesn't change the names inside.
    pub(crate) name: String,
    /// Its number of dimensions.
    pub(crate) rank: usize,
    /// Its number of values.
    pub(crate) values: usize,
}

impl TrainedParameter {
    pub(crate) fn is_one_dimensional(&self) -> bool {
        self.rank <= 1
    }
}

/// Every parameter that takes a gradient: running statistics don't.
pub(crate) fn trained_parameters(module: &impl Module) -> Vec<TrainedParameter> {
    #[derive(Default)]
    struct Parameters {
        /// The names of the modules around, and whether each is but an enum's variant.
        path: Vec<(String, bool)>,
        found: Vec<TrainedParameter>,
    }
    impl ModuleVisitor for Parameters {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.path.push((name.to_owned(), container.starts_with("Enum:")));
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                let joined = |variants: bool| {
                    let shown = self.path.iter().filter(|(_, variant)| variants || !variant);
                    shown.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(".")
                };
                let values = param.lazy_shape().num_elements();
                let (path, name) = (joined(true), joined(false));
                self.found.push(TrainedParameter { path, name, rank: D, values });
            }
        }
    }
    let mut parameters = Parameters::default();
    module.visit(&mut parameters);
    parameters.found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::pretrain_config::tests::tiny;
    use burn::tensor::Device;

    #[test]
    fn exactly_the_norms_and_biases_of_a_resnet_and_its_head_are_one_dimensional() {
        let model = tiny().init_model(&Device::flex().autodiff()).unwrap();
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
        let one_dimensional = trained.iter().filter(|p| p.is_one_dimensional());
        assert_eq!(one_dimensional.map(|p| p.name.clone()).collect::<Vec<_>>(), expected);
        let weights: Vec<_> = trained.iter().filter(|p| p.rank > 1).collect();
        assert_eq!(weights.len(), 20 + 2, "the convolutions and the two layers of the head");
        assert!(weights.iter().all(|p| p.path.ends_with(".weight")), "{weights:?}");
    }
}
