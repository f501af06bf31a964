use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use super::*;
use crate::optim::decay_scope::DecayScope;

fn configs() -> Vec<OptimizerConfig> {
    let decay_scope = DecayScope::Weights;
    vec![
        OptimizerConfig::adamw(1e-2),
        OptimizerConfig::adam(1e-2),
        OptimizerConfig::nesterov(1e-2),
        OptimizerConfig::Adam { weight_decay: 0.1, decay_scope },
        OptimizerConfig::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.1, decay_scope },
        OptimizerConfig::Sgd { momentum: 0.9, nesterov: false, weight_decay: 0.1, decay_scope },
        OptimizerConfig::lars(1e-2),
    ]
}

/// Three layers, the last without a bias, and a convolution without one.
#[derive(Module, Debug)]
struct Layers {
    kernel: Conv2d,
    first: Linear,
    second: Linear,
    third: Linear,
}

fn model() -> Layers {
    let device = Device::flex().autodiff();
    let layer = |inputs: usize, outputs: usize, bias: bool| -> Linear {
        let layer = LinearConfig::new(inputs, outputs).with_bias(bias).init(&device);
        let count = i64::try_from(inputs * outputs).unwrap();
        let numbers = Tensor::<1, burn::tensor::Int>::arange(0..count, &device);
        let weight = (numbers.float() + inputs as f64).sin().reshape([inputs, outputs]);
        let bias = layer.bias.map(|bias| bias.map(|b| b.ones_like().require_grad()));
        Linear { weight: layer.weight.map(|_| weight.detach().require_grad()), bias }
    };
    let kernel = Conv2dConfig::new([3, 2], [2, 5]).with_bias(false).init(&device);
    let numbers = Tensor::<1, burn::tensor::Int>::arange(0..2 * 3 * 2 * 5, &device).float();
    let weight = numbers.cos().reshape([2, 3, 2, 5]).detach().require_grad();
    let kernel = Conv2d { weight: kernel.weight.map(|_| weight), ..kernel };
    Layers {
        kernel,
        first: layer(3, 2, true),
        second: layer(70, 3, true),
        third: layer(2, 1, false),
    }
}

/// Which layers have a gradient in a step.
#[derive(Clone, Copy)]
struct Step {
    number: u8,
    layers: [bool; 3],
    revoked: bool,
}

fn whole(number: u8) -> Step {
    Step { number, layers: [true; 3], revoked: false }
}

fn revoked(number: u8) -> Step {
    Step { revoked: true, ..whole(number) }
}

/// Gradients that depend on the step's number.
fn gradients(model: &Layers, step: Step) -> GradientsParams {
    let mut gradients = GradientsParams::new();
    let like = |values: Tensor<1>| (values * 3.0 + f64::from(step.number)).cos();
    let kernel = model.kernel.weight.val().inner();
    if step.layers[0] {
        // In another order in memory than the parameter, as convolutions have it.
        let [outputs, inputs, height, width] = kernel.dims();
        let of_kernel = like(kernel.permute([0, 2, 3, 1]).reshape([60]));
        let of_kernel = of_kernel.reshape([outputs, height, width, inputs]).permute([0, 3, 1, 2]);
        gradients.register::<4>(model.kernel.weight.id, of_kernel);
    }
    let layers = [&model.first, &model.second, &model.third].into_iter().zip(step.layers);
    for layer in layers.filter_map(|(layer, has)| has.then_some(layer)) {
        let weight = layer.weight.val().inner();
        let shape = weight.dims();
        let of_weight = like(weight.flatten::<1>(0, 1)).reshape(shape);
        gradients.register::<2>(layer.weight.id, of_weight);
        if let Some(bias) = &layer.bias {
            gradients.register::<1>(bias.id, like(bias.val().inner()));
        }
    }
    gradients
}

fn values(module: &impl Module) -> Vec<f32> {
    let tensors = simclr_model::module_tensors(module).into_iter();
    let values = tensors.map(|tensor| tensor.values().to_data_as::<f32>());
    values.flat_map(|values| values.iter::<f32>().collect::<Vec<_>>()).collect()
}

const RATE: f64 = 0.05;

/// The model after these steps.
fn trained(optimizer: &mut GroupedOptimizer, mut model: Layers, steps: &[Step]) -> Layers {
    let device = Device::flex();
    for &step in steps {
        let gradients = optimizer.gather(&model, gradients(&model, step));
        let revoked = Tensor::from_data([step.revoked], &device);
        // Steps that can't be revoked are another path.
        let revoked = (step.number % 2 == 0 || step.revoked).then_some(&revoked);
        model = optimizer.step(RATE, model, gradients, revoked);
    }
    model
}

/// The model after these steps of the optimiser of Burn, or of [`Lars`](crate::Lars), parameter by parameter.
fn expected(config: OptimizerConfig, mut model: Layers, steps: &[Step]) -> Layers {
    let mut optimizer = config.init(&model);
    for &step in steps {
        let gradients = gradients(&model, step);
        model = optimizer.step(RATE, model, gradients);
    }
    model
}

fn assert_near(found: &[f32], expected: &[f32], case: &str) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 2e-6, "{case}: {found}, {expected}");
    }
}

#[test]
fn steps_are_those_of_burns_optimisers_and_of_lars_whether_packed_or_not() {
    let steps: Vec<Step> = (0..8).map(whole).collect();
    for config in configs() {
        let model = model();
        let expected = values(&expected(config, model.clone(), &steps));
        assert_ne!(expected, values(&model));
        for packs in [false, true] {
            let mut optimizer = GroupedOptimizer::new(config, packs);
            let found = values(&trained(&mut optimizer, model.clone(), &steps));
            let groups = match config.decay_scope() {
                _ if !packs => 6,
                DecayScope::All => 1,
                DecayScope::Weights => 2,
            };
            assert_eq!(optimizer.groups.len(), groups, "{config}");
            assert_near(&found, &expected, &format!("{config}, packed: {packs}"));
        }
    }
}

#[test]
fn parameters_without_a_gradient_stay_and_have_a_state_of_their_own() {
    let only = |number, layers| Step { layers, ..whole(number) };
    let steps = [
        only(0, [true, true, false]),
        only(1, [true, false, true]),
        whole(2),
        only(3, [false, false, true]),
        whole(4),
    ];
    for config in configs() {
        let model = model();
        let expected = values(&expected(config, model.clone(), &steps));
        for packs in [false, true] {
            let mut optimizer = GroupedOptimizer::new(config, packs);
            let found = values(&trained(&mut optimizer, model.clone(), &steps));
            assert_near(&found, &expected, &format!("{config}, packed: {packs}"));
        }
    }
}

#[test]
fn a_step_that_is_revoked_changes_neither_weights_nor_state() {
    for config in configs() {
        for packs in [false, true] {
            let model = model();
            let trained = |steps: &[Step]| {
                let mut optimizer = GroupedOptimizer::new(config, packs);
                values(&trained(&mut optimizer, model.clone(), steps))
            };
            let without = trained(&[whole(0), whole(1), whole(2)]);
            let with =
                [revoked(3), whole(0), revoked(4), revoked(5), whole(1), whole(2), revoked(6)];
            assert_eq!(trained(&with), without, "{config}");
            assert_eq!(trained(&[revoked(0)]), values(&model), "{config}");
        }
    }
}

#[test]
fn a_state_that_is_saved_and_loaded_goes_on_as_before_packed_or_not() {
    let first = [Step { layers: [true, false, true], ..whole(0) }, revoked(1), whole(2)];
    let then = [whole(3), whole(4)];
    for config in configs() {
        for [before, after] in [[false, false], [true, true], [false, true], [true, false]] {
            let model = model();
            let mut optimizer = GroupedOptimizer::new(config, before);
            let begun = trained(&mut optimizer, model.clone(), &first);
            let bytes = optimizer.to_bytes().unwrap();
            let whole = values(&trained(&mut optimizer, begun.clone(), &then));
            let mut loaded = GroupedOptimizer::new(config, after).load(&bytes, &begun).unwrap();
            assert_eq!(loaded.to_bytes().unwrap(), bytes, "{config}");
            let resumed = values(&trained(&mut loaded, begun, &then));
            if before == after {
                assert_eq!(resumed, whole, "{config}");
            }
            assert_near(&resumed, &whole, &format!("{config}: {before}, {after}"));
        }
    }
}

#[test]
fn the_state_of_another_optimiser_is_refused() {
    let model = model();
    let mut adam = GroupedOptimizer::new(OptimizerConfig::adam(0.0), true);
    trained(&mut adam, model.clone(), &[whole(0)]);
    let bytes = adam.to_bytes().unwrap();
    let lars = GroupedOptimizer::new(OptimizerConfig::lars(0.0), true);
    let reason = lars.load(&bytes, &model).err().unwrap();
    assert!(reason.contains("expected the parts [velocity]"), "{reason}");
}

#[test]
fn the_average_is_that_of_the_parameters_after_each_step_and_survives_being_saved() {
    const DECAY: f64 = 0.8;
    let steps: Vec<Step> = (0..5).map(whole).collect();
    for config in configs() {
        for packs in [false, true] {
            let model = model();
            let new = || GroupedOptimizer::new(config, packs).with_average(DECAY);
            let mut optimizer = new();
            assert_eq!(values(&optimizer.averaged(model.clone())), values(&model), "no step yet");
            let (mut stepped, mut average) = (model.clone(), vec![0.0; values(&model).len()]);
            for step in &steps {
                stepped = trained(&mut optimizer, stepped, std::slice::from_ref(step));
                for (average, value) in average.iter_mut().zip(values(&stepped)) {
                    *average = DECAY * *average + (1.0 - DECAY) * f64::from(value);
                }
            }
            let plain = trained(&mut GroupedOptimizer::new(config, packs), model.clone(), &steps);
            assert_eq!(values(&stepped), values(&plain), "{config}: the steps stay the same");
            let weights: f64 = 1.0 - DECAY.powi(5);
            let expected: Vec<f32> = average.iter().map(|value| (value / weights) as f32).collect();
            let found = values(&optimizer.averaged(stepped.clone()));
            assert_near(&found, &expected, &format!("{config}, packed: {packs}"));
            assert_ne!(found, values(&stepped));

            let loaded = new().load(&optimizer.to_bytes().unwrap(), &stepped).unwrap();
            assert_near(&values(&loaded.averaged(stepped.clone())), &found, "loaded");
            let mut revoked_only = new();
            let stayed = trained(&mut revoked_only, model.clone(), &[revoked(0)]);
            assert_eq!(values(&revoked_only.averaged(stayed)), values(&model), "{config}");
        }
    }
}
