//! Optimisers whose steps the device can take back.

use std::ops::Range;

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// The rule by which an optimiser moves one parameter. Its whole state is tensors, so that the device can choose between
/// the state before a step and the one after; the step counts of Burn's optimisers are on the host.
pub(crate) trait Rule: Send + Sync + Clone + 'static {
    /// The state before the first step of a parameter like `tensor`.
    fn start<const D: usize>(&self, tensor: &Tensor<D>) -> Vec<Tensor<D>>;

    /// The parameter and the state after a step. A tensor of the state keeps its shape.
    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: &[Tensor<D>],
    ) -> (Tensor<D>, Vec<Tensor<D>>);
}

/// The optimiser of a [`Rule`]. A step whose gradient is NaN leaves the parameter and the state as they were, decided on
/// the device: the host need not know.
///
/// It looks at the first value of a gradient alone. [`LossScale`](crate::engine::loss_scale::LossScale) makes all NaN if
/// one of any parameter is not finite.
#[derive(Clone)]
pub(crate) struct Revocable<R>(pub(crate) R);

/// The state of a [`Revocable`] optimiser for one parameter.
#[derive(Clone)]
pub(crate) struct RevocableState<const D: usize>(Vec<Tensor<D>>);

impl<R: Rule> Optimizer for Revocable<R> {
    type State<const D: usize> = RevocableState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<RevocableState<D>>,
    ) -> (Tensor<D>, Option<RevocableState<D>>) {
        let before = state.map_or_else(|| self.0.start(&tensor), |state| state.0);
        let first: [Range<usize>; D] = std::array::from_fn(|_| 0..1);
        let revoked = gradient.clone().slice(first).is_nan(); // [1; D]
        let choose = |new: Tensor<D>, old: Tensor<D>| {
            let everywhere = revoked.clone().expand(old.shape());
            new.mask_where(everywhere, old)
        };
        let (moved, after) = self.0.step(rate, tensor.clone(), gradient, &before);
        let state = after.into_iter().zip(before).map(|(new, old)| choose(new, old)).collect();
        (choose(moved, tensor), Some(RevocableState(state)))
    }

    fn to_device<const D: usize>(state: RevocableState<D>, device: &Device) -> RevocableState<D> {
        RevocableState(state.0.into_iter().map(|tensor| tensor.to_device(device)).collect())
    }
}

// By hand, since burn-optim's derive of this trait works only inside burn-optim.
impl<const D: usize> RecordState for RevocableState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        for (number, tensor) in self.0.iter().enumerate() {
            out.push_tensor(prefix, &number.to_string(), tensor.to_data());
        }
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let tensors = (0..).map_while(|number: usize| src.take_tensor(prefix, &number.to_string()));
        Some(Self(tensors.map(|data| Tensor::from_data(data, device)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::nn::{Linear, LinearConfig};
    use burn::optim::{GradientsParams, ModuleOptimizer, OptimizerRecord};
    use burn::tensor::{Device, Tensor};
    use simclr_model::module_tensors;

    use crate::optim::decay_scope::DecayScope;
    use crate::optim::optimizer::OptimizerConfig;

    fn configs() -> Vec<OptimizerConfig> {
        let decay_scope = DecayScope::Weights;
        vec![
            OptimizerConfig::adamw(1e-2),
            OptimizerConfig::adam(1e-2),
            OptimizerConfig::nesterov(1e-2),
            OptimizerConfig::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.1, decay_scope },
            OptimizerConfig::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.1, decay_scope },
            OptimizerConfig::lars(1e-2),
        ]
    }

    fn model(device: &Device) -> Linear {
        let model: Linear = LinearConfig::new(3, 2).init(device);
        let values = Tensor::<1>::from_floats([0.3, -0.2, 0.5, 0.1, -0.4, 0.2], device);
        let weight = values.reshape([3, 2]).require_grad();
        let bias = Tensor::from_floats([0.1, -0.3], device).require_grad();
        let of = |tensor| move |_| tensor;
        Linear { weight: model.weight.map(of(weight)), bias: model.bias.map(|b| b.map(|_| bias)) }
    }

    /// A gradient that depends on the step's number, or is NaN.
    fn gradients(model: &Linear, step: Option<u8>) -> GradientsParams {
        let device = Device::flex();
        let like = |count: i64| {
            let numbers = Tensor::<1, burn::tensor::Int>::arange(0..count, &device).float();
            match step {
                Some(step) => (numbers + f64::from(step)).sin(),
                None => numbers * f64::NAN,
            }
        };
        let mut gradients = GradientsParams::new();
        gradients.register::<2>(model.weight.id, like(6).reshape([3, 2]));
        gradients.register::<1>(model.bias.as_ref().unwrap().id, like(2));
        gradients
    }

    fn values(module: &impl Module) -> Vec<f32> {
        let tensors = module_tensors(module).into_iter();
        let values = tensors.map(|tensor| tensor.values().to_data_as::<f32>());
        values.flat_map(|values| values.iter::<f32>().collect::<Vec<_>>()).collect()
    }

    /// The values after these steps.
    fn trained(optimizer: &mut ModuleOptimizer, mut model: Linear, steps: &[Option<u8>]) -> Linear {
        for &step in steps {
            let gradients = gradients(&model, step);
            model = optimizer.step(0.05, model, gradients);
        }
        model
    }

    #[test]
    fn steps_are_those_of_burns_optimisers_and_of_lars() {
        let device = Device::flex().autodiff();
        let steps = [0, 1, 2, 3, 4, 5, 6, 7].map(Some);
        for config in configs() {
            let model = model(&device);
            let expected = values(&trained(&mut config.init(&model), model.clone(), &steps));
            let found = values(&trained(&mut config.init_revocable(&model), model.clone(), &steps));
            assert_ne!(found, values(&model));
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-6, "{config}: {found}, {expected}");
            }
        }
    }

    #[test]
    fn a_step_whose_gradient_is_nan_changes_neither_weights_nor_state() {
        let device = Device::flex().autodiff();
        for config in configs() {
            let model = model(&device);
            let trained = |steps: &[Option<u8>]| {
                values(&trained(&mut config.init_revocable(&model), model.clone(), steps))
            };
            let without = trained(&[Some(0), Some(1), Some(2)]);
            let with = trained(&[None, Some(0), None, None, Some(1), Some(2), None]);
            assert_eq!(with, without, "{config}");
            assert_eq!(trained(&[None]), values(&model), "{config}");
        }
    }

    #[test]
    fn a_state_that_is_saved_and_loaded_goes_on_as_before() {
        let device = Device::flex().autodiff();
        for config in configs() {
            let model = model(&device);
            let mut optimizer = config.init_revocable(&model);
            let begun = trained(&mut optimizer, model.clone(), &[Some(0), None, Some(1)]);
            let bytes = optimizer.to_record().into_bytes().unwrap();
            let whole = trained(&mut optimizer, begun.clone(), &[Some(2), Some(3)]);
            let record = OptimizerRecord::from_bytes(bytes).unwrap();
            let mut loaded = config.init_revocable(&model).load_record(record);
            let resumed = trained(&mut loaded, begun, &[Some(2), Some(3)]);
            assert_eq!(values(&resumed), values(&whole), "{config}");
        }
    }
}
