//! LARS: compared with a table of an independent implementation, and the parameters that it excludes.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{GradientsParams, Optimizer};
use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use serde::Deserialize;
use simclr_model::{ModuleTensor, module_tensors};
use simclr_train::{DecayScope, Lars, OptimizerConfig, Recipe};

#[derive(Deserialize)]
struct Golden {
    momentum: f64,
    trust_coefficient: f64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    shape: Vec<usize>,
    weight_decay: f64,
    excluded: bool,
    rates: Vec<f64>,
    start: Vec<f64>,
    gradients: Vec<Vec<f64>>,
    after: Vec<Vec<f64>>,
}

impl Case {
    fn check<const D: usize>(&self, lars: Lars) {
        let device = Device::flex();
        let tensor = |values: &[f64]| {
            let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
            Tensor::<D>::from_data(TensorData::new(values, self.shape.clone()), &device)
        };
        let (mut w, mut state) = (tensor(&self.start), None);
        for (step, &rate) in self.rates.iter().enumerate() {
            (w, state) = lars.step(rate, w, tensor(&self.gradients[step]), state);
            let found: Vec<f64> = w.to_data().iter::<f64>().collect();
            let scale = self.after[step].iter().fold(1e-6_f64, |most, x| most.max(x.abs()));
            for (found, expected) in found.iter().zip(&self.after[step]) {
                assert!(
                    (found - expected).abs() <= 1e-6 * scale,
                    "{}, step {step}: {found}, expected {expected}",
                    self.name
                );
            }
        }
    }
}

#[test]
fn every_step_equals_the_independent_table() {
    let golden: Golden = serde_json::from_str(include_str!("golden/lars.json")).unwrap();
    let (momentum, trust_coefficient) = (golden.momentum, golden.trust_coefficient);
    for case in golden.cases {
        let lars =
            Lars { momentum, weight_decay: case.weight_decay, trust_coefficient, adapt: true };
        let lars = if case.excluded { lars.plain() } else { lars };
        match case.shape.len() {
            1 => case.check::<1>(lars),
            2 => case.check::<2>(lars),
            4 => case.check::<4>(lars),
            rank => panic!("expected a case of rank 1, 2 or 4, found {rank}"),
        }
    }
}

/// One step of the formula, in f64.
fn oracle(lars: Lars, rate: f64, w: &[f64], g: &[f64], v: &[f64]) -> Vec<f64> {
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let g: Vec<f64> = g.iter().zip(w).map(|(g, w)| g + lars.weight_decay * w).collect();
    let trust = if lars.adapt && norm(w) > 0.0 && norm(&g) > 0.0 {
        lars.trust_coefficient * norm(w) / norm(&g)
    } else {
        1.0
    };
    let step = |(g, v): (&f64, &f64)| lars.momentum * v + trust * rate * g;
    w.iter().zip(g.iter().zip(v).map(step)).map(|(w, v)| w - v).collect()
}

proptest! {
    #[test]
    fn two_steps_equal_the_formula_in_f64(
        values in prop::collection::vec((-2.0_f32..2.0, -2.0_f32..2.0, -2.0_f32..2.0), 1..30),
        momentum in 0.0..0.99,
        weight_decay in 0.0..0.5,
        adapt: bool,
        rate in 0.0..10.0,
    ) {
        let lars = Lars { momentum, weight_decay, trust_coefficient: 0.001, adapt };
        let lars = if adapt { lars } else { lars.plain() };
        let column = |pick: fn(&(f32, f32, f32)) -> f32| -> Vec<f32> {
            values.iter().map(pick).collect()
        };
        let wide = |x: &[f32]| -> Vec<f64> { x.iter().map(|&x| f64::from(x)).collect() };
        let (w, first, second) = (column(|v| v.0), column(|v| v.1), column(|v| v.2));
        let tensor = |x: &[f32]| Tensor::<1>::from_data(x, &Device::flex());

        let (after_one, state) = lars.step(rate, tensor(&w), tensor(&first), None);
        let (found, _) = lars.step(rate, after_one, tensor(&second), state);

        let zero = vec![0.0; w.len()];
        let after_one = oracle(lars, rate, &wide(&w), &wide(&first), &zero);
        let v: Vec<f64> = wide(&w).iter().zip(&after_one).map(|(w, after)| w - after).collect();
        let expected = oracle(lars, rate, &after_one, &wide(&second), &v);
        let scale = expected.iter().fold(1.0_f64, |most, x| most.max(x.abs()));
        for (found, expected) in found.into_data().iter::<f64>().zip(expected) {
            prop_assert!((found - expected).abs() < 2e-5 * scale, "{found}, expected {expected}");
        }
    }
}

/// The path and the values of every trained parameter.
fn parameters(module: &impl Module) -> Vec<(String, Vec<f64>)> {
    let trained = module_tensors(module).into_iter().filter(ModuleTensor::requires_grad);
    let values = |parameter: ModuleTensor| {
        let values = parameter.values().to_data_as::<f64>();
        (parameter.name(), values.iter::<f64>().collect())
    };
    trained.map(values).collect()
}

/// A gradient of zero for every parameter, so that only weight decay moves it.
fn zero_gradients(module: &impl Module) -> GradientsParams {
    struct Zeros(GradientsParams);
    impl ModuleVisitor for Zeros {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() {
                self.0.register(param.id, param.val().inner().zeros_like());
            }
        }
    }
    let mut zeros = Zeros(GradientsParams::new());
    module.visit(&mut zeros);
    zeros.0
}

/// The paths of the parameters that weight decay moves.
fn decayed(optimizer: OptimizerConfig) -> Vec<String> {
    struct Half;
    impl ModuleMapper for Half {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            // Betas and some gammas start at zero, where weight decay would move nothing.
            param.map(|x| {
                if x.is_require_grad() {
                    let device = x.device();
                    Tensor::full(x.shape(), 0.5, &device).require_grad()
                } else {
                    x
                }
            })
        }
    }
    let mut config = Recipe::Cifar10Google.config();
    config.images.encoder = "resnet18x0.03125_cifar".parse().unwrap(); // 2 channels in the first stage
    let model = config.init_model(&Device::flex().autodiff()).unwrap().map(&mut Half);
    let before = parameters(&model);
    let gradients = zero_gradients(&model);
    let after = parameters(&optimizer.init(&model).step(0.1, model, gradients));
    let moved = before.iter().zip(&after).filter(|(before, after)| before.1 != after.1);
    moved.map(|(before, _)| before.0.clone()).collect()
}

#[test]
fn weight_decay_moves_exactly_the_parameters_of_its_scope() {
    let sgd = |decay_scope| OptimizerConfig::Sgd {
        momentum: 0.9,
        nesterov: true,
        weight_decay: 0.1,
        decay_scope,
    };
    let adamw = |decay_scope| OptimizerConfig::AdamW { weight_decay: 0.1, decay_scope };
    let adam = |decay_scope| OptimizerConfig::Adam { weight_decay: 0.1, decay_scope };
    for optimizer in [
        OptimizerConfig::lars(0.1),
        sgd(DecayScope::Weights),
        adamw(DecayScope::Weights),
        adam(DecayScope::Weights),
    ] {
        let decayed = decayed(optimizer);
        assert_eq!(decayed.len(), 22, "20 convolutions, 2 layers of the head: {optimizer:?}");
        assert!(decayed.iter().all(|path| path.ends_with(".weight")), "{decayed:?}");
    }
    for optimizer in [sgd(DecayScope::All), adamw(DecayScope::All), adam(DecayScope::All)] {
        assert_eq!(decayed(optimizer).len(), 65, "{optimizer:?}");
    }
    assert!(decayed(OptimizerConfig::lars(0.0)).is_empty());
}

#[test]
fn lars_continues_from_its_record_as_if_it_had_not_stopped() {
    let device = Device::flex().autodiff();
    let mut config = Recipe::Cifar10Google.config();
    config.images.encoder = "resnet18x0.03125_cifar".parse().unwrap(); // 2 channels in the first stage
    let model = config.init_model(&device).unwrap();
    let optimizer = || OptimizerConfig::lars(0.1).init(&model);

    let step = |optimizer: &mut burn::optim::ModuleOptimizer, model| {
        let gradients = zero_gradients(&model);
        optimizer.step(0.5, model, gradients)
    };
    let mut whole = optimizer();
    let once = step(&mut whole, model.clone());
    let mut resumed = optimizer().load_record(whole.to_record());
    let expected = parameters(&step(&mut whole, once.clone()));
    assert_eq!(parameters(&step(&mut resumed, once.clone())), expected);
    assert_ne!(parameters(&step(&mut optimizer(), once)), expected, "v is part of the record");
}
