//! The batch normalisations of a network.

use burn::module::{Flag, Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::tensor::Tensor;

/// The parameters, running statistics and training flags of every batch normalisation in `module`.
///
/// Mixed precision keeps them in f32, because [`BatchNorm`](crate::BatchNorm) takes an input of another type than its
/// parameters'. Fine-tuning may freeze them: `module.freeze_group(batch_norms(&module))`.
///
/// A layer counts as a batch normalisation if its own fields hold a training flag and floats, and all of these floats
/// have one dimension. [`BatchNorm`](crate::BatchNorm) and Burn's own do, and so does one of another name. Layer
/// normalisation has no flag, dropout has no floats, and weights that mix features have more dimensions.
///
/// The group holds ids, so it is also the group of every clone of `module`.
///
/// ```
/// use burn::nn::{BatchNormConfig, LinearConfig};
/// use burn::tensor::Device;
/// use simclr_nn::{BatchNorm, batch_norms};
///
/// let device = Device::flex();
/// let linear = LinearConfig::new(8, 4).init(&device);
/// let norm = BatchNorm::from(BatchNormConfig::new(4).init(&device));
/// let group = batch_norms(&(linear.clone(), norm.clone()));
/// assert!(group.matches(&norm.gamma.id, None));
/// assert!(!group.matches(&linear.weight.id, None));
/// ```
#[must_use]
pub fn batch_norms(module: &impl Module) -> ParamGroup {
    let mut visitor = Visitor { depth: 0, levels: vec![Fields::default()], found: Vec::new() };
    module.visit(&mut visitor);
    visitor.leave(0);
    ParamGroup::from_ids(visitor.found)
}

struct Visitor {
    /// How many modules the visitor is in.
    depth: usize,
    /// For the module at each depth, what its own fields hold; possibly one more level, that of a module just left.
    levels: Vec<Fields>,
    found: Vec<ParamId>,
}

/// What a module's own fields hold so far.
#[derive(Default)]
struct Fields {
    flags: Vec<ParamId>,
    floats: Vec<ParamId>,
    /// Whether one of the floats has more than one dimension.
    has_matrix: bool,
}

impl Fields {
    fn are_batch_norm(&self) -> bool {
        !self.flags.is_empty() && !self.floats.is_empty() && !self.has_matrix
    }
}

impl Visitor {
    /// Judges the levels from `depth` on, whose fields have all been visited.
    fn leave(&mut self, depth: usize) {
        for fields in self.levels.drain(depth..) {
            if fields.are_batch_norm() {
                self.found.extend(fields.floats);
                self.found.extend(fields.flags);
            }
        }
    }
}

impl ModuleVisitor for Visitor {
    // Burn calls this for each field, and never for the module whose fields they are. Fields at one depth with no
    // shallower one between them are therefore one module's.
    fn enter_module(&mut self, _: &str, _: &str) {
        self.depth += 1;
        if self.levels.len() == self.depth {
            self.levels.push(Fields::default());
        }
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.leave(self.depth + 1);
        self.depth -= 1;
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.levels[self.depth].flags.push(flag.id);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let fields = &mut self.levels[self.depth];
        fields.floats.push(param.id);
        fields.has_matrix |= D > 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BatchNorm, Conv2d};
    use burn::module::RunningState;
    use burn::nn::conv::Conv2dConfig;
    use burn::nn::{
        self, BatchNormConfig, Dropout, DropoutConfig, LayerNorm, LayerNormConfig, Linear,
        LinearConfig,
    };
    use burn::tensor::Device;

    /// A batch normalisation with names of its own.
    #[derive(Module, Debug)]
    struct Standardise {
        training: Param<Flag>,
        mean: RunningState<Tensor<1>>,
        scale: Param<Tensor<1>>,
    }

    /// A layer that is named like one, and isn't one.
    #[derive(Module, Debug)]
    struct NoBatchNorm {
        scale: Param<Tensor<1>>,
    }

    /// A layer that behaves differently in training, with weights that mix features.
    #[derive(Module, Debug)]
    struct Noisy {
        weight: Param<Tensor<2>>,
        bias: Param<Tensor<1>>,
        training: Param<Flag>,
    }

    #[derive(Module, Debug)]
    enum Head {
        Normalised(BatchNorm),
    }

    #[derive(Module, Debug)]
    struct Network {
        scale: Param<Tensor<1>>,
        blocks: Vec<(Conv2d, BatchNorm)>,
        burns: Option<nn::BatchNorm>,
        dropout: Dropout,
        layer_norm: LayerNorm,
        named_like_one: NoBatchNorm,
        noisy: Noisy,
        own: Standardise,
        head: Head,
        linear: Linear,
    }

    fn network(device: &Device) -> Network {
        let scale = || Param::from_tensor(Tensor::ones([4], device));
        let norm = || BatchNormConfig::new(4).init(device);
        let conv = || Conv2d::from(Conv2dConfig::new([4, 4], [1, 1]).init(device));
        let linear = || LinearConfig::new(4, 4).init(device);
        Network {
            scale: scale(),
            blocks: (0..2).map(|_| (conv(), norm().into())).collect(),
            burns: Some(norm()),
            dropout: DropoutConfig::new(0.5).init(),
            layer_norm: LayerNormConfig::new(4).init(device),
            named_like_one: NoBatchNorm { scale: scale() },
            noisy: Noisy {
                weight: linear().weight,
                bias: scale(),
                training: Param::from_bool(true),
            },
            own: Standardise {
                training: Param::from_bool(true),
                mean: RunningState::new(Tensor::zeros([4], device)),
                scale: scale(),
            },
            head: Head::Normalised(norm().into()),
            linear: linear(),
        }
    }

    /// Collects the paths of the floats in a group.
    struct Paths {
        group: ParamGroup,
        around: Vec<String>,
        found: Vec<String>,
    }

    impl ModuleVisitor for Paths {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.around.push(name.to_owned());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.around.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.group.matches(&param.id, None) {
                self.found.push(self.around.join("."));
            }
        }
    }

    fn paths(module: &impl Module, group: ParamGroup) -> Vec<String> {
        let mut paths = Paths { group, around: Vec::new(), found: Vec::new() };
        module.visit(&mut paths);
        paths.found
    }

    fn expected() -> Vec<String> {
        let norm = |path: &str| {
            ["gamma", "beta", "running_mean", "running_var"].map(|name| format!("{path}.{name}"))
        };
        let mut expected = Vec::new();
        expected.extend(["blocks.0.1", "blocks.1.1", "burns"].map(norm).concat());
        expected.extend(["own.mean", "own.scale"].map(String::from));
        expected.extend(norm("head.Normalised"));
        expected
    }

    #[test]
    fn batch_norms_are_found_by_what_they_hold_and_nothing_else_is() {
        let network = network(&Device::flex().autodiff());
        assert_eq!(paths(&network, batch_norms(&network)), expected());
    }

    #[test]
    fn batch_norms_are_found_in_frozen_and_evaluated_networks() {
        let network = network(&Device::flex().autodiff());
        let group = batch_norms(&network);
        let frozen = network.clone().freeze();
        assert_eq!(paths(&frozen, batch_norms(&frozen)), expected());
        let evaluated = network.valid();
        assert_eq!(paths(&evaluated, batch_norms(&evaluated)), expected());
        assert_eq!(paths(&evaluated, group), expected());
    }

    #[test]
    fn a_batch_norm_alone_is_found() {
        let norm = BatchNorm::from(BatchNormConfig::new(4).init(&Device::flex()));
        let found = paths(&norm, batch_norms(&norm));
        assert_eq!(found, ["gamma", "beta", "running_mean", "running_var"]);
    }

    #[test]
    fn freezing_the_group_stops_the_running_statistics() {
        let device = Device::flex().autodiff();
        let norm = BatchNorm::from(BatchNormConfig::new(1).init(&device));
        let frozen = norm.clone().freeze_group(batch_norms(&norm));
        let _ = frozen.forward(Tensor::<2>::from_data([[3.0], [5.0]], &device));
        let mean = frozen.running_mean.value_sync();
        assert!(mean.into_scalar::<f32>().abs() < 1e-6);
    }
}
