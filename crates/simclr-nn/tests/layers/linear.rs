//! Fully connected layers against f64, against Burn's own, and against finite differences.

use burn::module::Param;
use burn::nn;
use burn::tensor::activation::gelu;
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use proptest::prelude::*;
use simclr_nn::{Linear, PackedLinear};

use crate::support::{difference, distance, flex, numbers, on_threads, same, tensor, values};

/// What follows the layer.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Then {
    Nothing,
    Gelu,
    Add,
}

/// Rows, inputs and outputs.
type Sizes = [usize; 3];

/// The output; the gradients of input, weight, bias and residual.
type Results = Vec<Vec<f64>>;

fn layer([_, inputs, outputs]: Sizes, bias: bool, device: &Device) -> nn::Linear {
    let weight = Param::from_tensor(tensor([inputs, outputs], 11, device).require_grad());
    let bias = bias.then(|| Param::from_tensor(tensor([outputs], 12, device).require_grad()));
    nn::Linear { weight, bias }
}

fn results(
    x: Tensor<2>,
    layer: &nn::Linear,
    forward: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<2>,
) -> Results {
    let device = x.device();
    let x = x.require_grad();
    let [_, outputs] = layer.weight.dims();
    let residual = tensor([x.dims()[0], outputs], 2, &device).require_grad();
    let y = forward(x.clone(), residual.clone());
    let gradients = (y.clone() * tensor(y.dims(), 3, &device)).sum().backward();
    let bias = layer.bias.as_ref().map(|bias| values(&bias.val().grad(&gradients).unwrap()));
    vec![
        values(&y),
        values(&x.grad(&gradients).unwrap()),
        values(&layer.weight.val().grad(&gradients).unwrap()),
        bias.unwrap_or_default(),
        residual.grad(&gradients).map_or_else(Vec::new, |g| values(&g)),
    ]
}

fn ours(x: Tensor<2>, outputs: usize, bias: bool, then: Then) -> Results {
    let [rows, inputs] = x.dims();
    let layer = layer([rows, inputs, outputs], bias, &x.device());
    let linear = Linear::from(layer.clone());
    results(x, &layer, |x, residual| match then {
        Then::Nothing => linear.forward(x),
        Then::Gelu => linear.forward_gelu(x),
        Then::Add => linear.forward_add(x, residual),
    })
}

fn burns(x: Tensor<2>, outputs: usize, bias: bool, then: Then) -> Results {
    let [rows, inputs] = x.dims();
    let layer = layer([rows, inputs, outputs], bias, &x.device());
    results(x, &layer, |x, residual| match then {
        Then::Nothing => layer.forward(x),
        Then::Gelu => gelu(layer.forward(x)),
        Then::Add => layer.forward(x) + residual,
    })
}

/// The definition, without anything that follows.
fn oracle(x: &[f32], [rows, inputs, outputs]: Sizes) -> Results {
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
    let (x, weight, bias) =
        (wide(x.to_vec()), wide(numbers(inputs * outputs, 11)), wide(numbers(outputs, 12)));
    let g = wide(numbers(rows * outputs, 3));
    let mut y: Vec<f64> = (0..rows).flat_map(|_| bias.clone()).collect();
    let (mut dx, mut dw) = (vec![0.0; x.len()], vec![0.0; weight.len()]);
    let mut db = vec![0.0; outputs];
    for row in 0..rows {
        for o in 0..outputs {
            db[o] += g[row * outputs + o];
            for i in 0..inputs {
                y[row * outputs + o] += x[row * inputs + i] * weight[i * outputs + o];
                dx[row * inputs + i] += g[row * outputs + o] * weight[i * outputs + o];
                dw[i * outputs + o] += x[row * inputs + i] * g[row * outputs + o];
            }
        }
    }
    vec![y, dx, dw, db]
}

fn agree(found: &Results, expected: &Results, what: &str) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        if !(expected.is_empty() && found.is_empty()) {
            let off = distance(found, expected);
            assert!(off < 1e-5, "{what}, result {index}: off by {off:e}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn values_and_gradients_equal_f64_and_burns(
        sizes in [1_usize..120, 1_usize..90, 1_usize..90],
        then in prop_oneof![Just(Then::Nothing), Just(Then::Gelu), Just(Then::Add)],
        bias in any::<bool>(),
        seed in 20_u64..99,
    ) {
        let [rows, inputs, outputs] = sizes;
        let x = || tensor::<2>([rows, inputs], seed, &flex().autodiff());
        let found = ours(x(), outputs, bias, then);
        agree(&found, &burns(x(), outputs, bias, then), "Burn's");
        let found = ours(x(), outputs, true, Then::Nothing);
        agree(&found, &oracle(&numbers(rows * inputs, seed), sizes), "f64");
    }
}

#[test]
fn several_chunks_of_rows_equal_f64_and_burns() {
    for sizes in [[1100, 33, 70], [513, 64, 32], [1024, 16, 48]] {
        let [rows, inputs, outputs] = sizes;
        let x = || tensor::<2>([rows, inputs], 5, &flex().autodiff());
        agree(
            &ours(x(), outputs, true, Then::Nothing),
            &oracle(&numbers(rows * inputs, 5), sizes),
            "f64",
        );
        for then in [Then::Gelu, Then::Add] {
            agree(&ours(x(), outputs, true, then), &burns(x(), outputs, true, then), "Burn's");
        }
    }
}

#[test]
fn gradients_equal_finite_differences() {
    let x = numbers(12, 1);
    let run = |x: &[f32]| {
        let x = Tensor::<2>::from_data(TensorData::new(x.to_vec(), [3, 4]), &flex().autodiff());
        ours(x, 5, true, Then::Gelu)
    };
    let loss = |x: &[f32]| {
        run(x)[0].iter().zip(numbers(15, 3)).map(|(y, w)| y * f64::from(w)).sum::<f64>()
    };
    for (at, expected) in run(&x)[1].iter().enumerate() {
        let found = difference(loss, &x, at, 1e-2);
        assert!((found - expected).abs() < 2e-3, "{at}: {found}, not {expected}");
    }
}

#[test]
fn a_scaled_branch_and_its_gradients_equal_burns_own_operations() {
    let device = flex().autodiff();
    for bias in [true, false] {
        let run = |ours: bool| {
            let layer = layer([7, 6, 9], bias, &device);
            let scale = tensor::<1>([9], 4, &device).require_grad();
            let forward = |x: Tensor<2>, residual| {
                if ours {
                    let linear = Linear::from(layer.clone());
                    let alone = linear.forward_scaled(x.clone(), scale.clone());
                    let sum = linear.forward_scaled_add(x, scale.clone(), residual);
                    Tensor::cat(vec![alone, sum], 1)
                } else {
                    let alone = layer.forward(x) * scale.clone().unsqueeze();
                    Tensor::cat(vec![alone.clone(), alone + residual], 1)
                }
            };
            let (x, residual) = (tensor::<2>([7, 6], 1, &device), tensor::<2>([7, 9], 2, &device));
            let (x, residual) = (x.require_grad(), residual.require_grad());
            let y = forward(x.clone(), residual.clone());
            let gradients = (y.clone() * tensor(y.dims(), 3, &device)).sum().backward();
            let bias =
                layer.bias.as_ref().map(|bias| values(&bias.val().grad(&gradients).unwrap()));
            vec![
                values(&y),
                values(&x.grad(&gradients).unwrap()),
                values(&layer.weight.val().grad(&gradients).unwrap()),
                values(&scale.grad(&gradients).unwrap()),
                values(&residual.grad(&gradients).unwrap()),
                bias.unwrap_or_default(),
            ]
        };
        agree(&run(true), &run(false), "Burn's");
    }
}

#[test]
fn a_small_scale_is_not_lost_in_sixteen_bits() {
    let device = flex();
    let half = FloatDType::F16;
    let linear = Linear {
        weight: Param::from_tensor(tensor::<2>([6, 9], 11, &device).cast(half) * 0.02),
        bias: None,
    };
    let x = (tensor::<2>([3, 6], 1, &device) * 1e3).cast(half);
    let scale = Tensor::<1>::full([9], 1e-5, &device).cast(half);
    let expected = values(&(linear.forward(x.clone()).cast(FloatDType::F32) * 1e-5));
    let found = linear.forward_scaled(x, scale).cast(FloatDType::F32);
    assert!(distance(&values(&found), &expected) < 0.01);
}

#[test]
fn what_is_not_finite_travels_as_in_burns() {
    for bad in [f32::NAN, f32::INFINITY] {
        let mut x = numbers(5 * 7, 1);
        x[9] = bad;
        let x = || Tensor::<2>::from_data(TensorData::new(x.clone(), [5, 7]), &flex().autodiff());
        for then in [Then::Nothing, Then::Gelu, Then::Add] {
            let (found, expected) = (ours(x(), 20, true, then), burns(x(), 20, true, then));
            for (&found, &expected) in found.iter().flatten().zip(expected.iter().flatten()) {
                assert!(same(found, expected), "{then:?}: expected {expected}, found {found}");
            }
        }
    }
}

#[test]
fn tensors_of_any_rank_and_strides_are_taken() {
    let device = flex().autodiff();
    let linear = Linear::from(layer([1, 6, 9], true, &device));
    let burns = layer([1, 6, 9], true, &device);
    let x = tensor::<4>([2, 6, 3, 4], 1, &device).swap_dims(1, 3);
    let (found, expected) = (linear.forward_gelu(x.clone()), gelu(burns.forward(x)));
    assert_eq!(found.dims(), [2, 4, 3, 9]);
    assert!(distance(&values(&found), &values(&expected)) < 1e-5);
}

#[test]
fn frozen_weights_have_no_gradients_and_the_input_has() {
    let device = flex().autodiff();
    let linear = Linear::from(layer([1, 6, 9], true, &device));
    let frozen = burn::module::Module::no_grad(linear);
    let x = tensor::<2>([3, 6], 1, &device).require_grad();
    let gradients = frozen.forward(x.clone()).sum().backward();
    assert!(x.grad(&gradients).is_some());
    assert!(frozen.weight.val().grad(&gradients).is_none());
}

#[test]
fn results_are_the_same_for_any_number_of_threads() {
    let run = |threads| {
        on_threads(threads, || {
            ours(tensor::<2>([1100, 70], 5, &flex().autodiff()), 90, true, Then::Gelu)
        })
    };
    assert_eq!(run(1), run(2));
}

#[test]
#[should_panic(expected = "expected a residual of the output's shape")]
fn a_residual_of_another_shape_is_refused() {
    let device = flex().autodiff();
    let linear = Linear::from(layer([1, 6, 9], true, &device));
    let _ = linear.forward_add(tensor::<2>([3, 6], 1, &device), tensor::<2>([1, 9], 1, &device));
}

#[test]
fn a_packed_layer_computes_what_the_layer_does_to_the_bit() {
    let device = flex();
    for (sizes, bias) in [([1, 6, 9], true), ([97, 70, 45], false), ([50, 33, 128], true)] {
        let [rows, inputs, outputs] = sizes;
        let trained = Linear::from(layer(sizes, bias, &flex().autodiff()));
        let linear = burn::module::Module::valid(&trained);
        let packed = PackedLinear::new(&trained);
        let x = || tensor::<2>([rows, inputs], 1, &device);
        let residual = || tensor::<2>([rows, outputs], 2, &device);
        assert_eq!(values(&packed.forward(x())), values(&linear.forward(x())));
        assert_eq!(values(&packed.forward_gelu(x())), values(&linear.forward_gelu(x())));
        let expected = values(&(linear.forward(x()) + residual()));
        assert_eq!(values(&packed.forward_add(x(), residual())), expected);
        let tracked = tensor::<2>([rows, inputs], 1, &flex().autodiff()).require_grad();
        assert_eq!(values(&packed.forward(tracked)), values(&linear.forward(x())));
    }
}

#[test]
fn a_bias_takes_the_place_of_the_layers_own_and_has_a_gradient() {
    let device = flex().autodiff();
    let linear = Linear::from(layer([4, 6, 9], true, &device));
    let (x, bias) = (tensor::<2>([4, 6], 1, &device), tensor::<1>([9], 7, &device).require_grad());
    let without = linear.forward(x.clone()) - linear.bias.as_ref().unwrap().val().unsqueeze();
    let found = linear.forward_biased(x, bias.clone());
    assert!(distance(&values(&found), &values(&(without + bias.clone().unsqueeze()))) < 1e-5);
    let gradients = found.sum().backward();
    assert_eq!(values(&bias.grad(&gradients).unwrap()), [4.0; 9]);
    assert!(linear.bias.as_ref().unwrap().val().grad(&gradients).is_none());
}
