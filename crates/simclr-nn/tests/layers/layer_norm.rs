//! Layer normalisation against f64, against Burn's own, and against finite differences.

use burn::module::Param;
use burn::nn::LayerNormConfig;
use burn::tensor::{DType, Device, Tensor, TensorData};
use proptest::prelude::*;
use simclr_nn::LayerNorm;

use crate::support::{difference, distance, flex, numbers, on_threads, same, tensor, values};

const EPSILON: f64 = 1e-5;

fn config(channels: usize) -> LayerNormConfig {
    LayerNormConfig::new(channels).with_epsilon(EPSILON)
}

/// The output, and the gradients of input, gamma and beta.
type Results = [Vec<f64>; 4];

fn results(
    x: Tensor<2>,
    [gamma, beta]: [Tensor<1>; 2],
    forward: impl Fn(Tensor<2>) -> Tensor<2>,
) -> Results {
    let x = x.require_grad();
    let y = forward(x.clone());
    let gradients = (y.clone() * tensor(y.dims(), 3, &x.device())).sum().backward();
    let [of_gamma, of_beta] = [gamma, beta].map(|p| values(&p.grad(&gradients).unwrap()));
    [values(&y), values(&x.grad(&gradients).unwrap()), of_gamma, of_beta]
}

fn parameters(channels: usize, device: &Device) -> [Param<Tensor<1>>; 2] {
    [11, 12].map(|seed| Param::from_tensor(tensor([channels], seed, device).require_grad()))
}

fn ours(x: Tensor<2>) -> Results {
    let [_, channels] = x.dims();
    let [gamma, beta] = parameters(channels, &x.device());
    let tensors = [gamma.val(), beta.val()];
    let norm = LayerNorm { gamma, beta: Some(beta), epsilon: EPSILON };
    results(x, tensors, |x| norm.forward(x))
}

fn burns(x: Tensor<2>) -> Results {
    let [_, channels] = x.dims();
    let [gamma, beta] = parameters(channels, &x.device());
    let tensors = [gamma.val(), beta.val()];
    let mut norm = config(channels).init(&x.device());
    (norm.gamma, norm.beta) = (gamma, Some(beta));
    results(x, tensors, |x| norm.forward(x))
}

fn oracle(x: &[f32], channels: usize) -> Results {
    let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
    let (gamma, beta) = (wide(numbers(channels, 11)), wide(numbers(channels, 12)));
    let upstream = wide(numbers(x.len(), 3));
    let count = channels as f64;
    let mut results = [Vec::new(), Vec::new(), vec![0.0; channels], vec![0.0; channels]];
    for (x, g) in wide(x.to_vec()).chunks(channels).zip(upstream.chunks(channels)) {
        let mean = x.iter().sum::<f64>() / count;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        let deviation = (variance + EPSILON).sqrt();
        let normal: Vec<f64> = x.iter().map(|x| (x - mean) / deviation).collect();
        let scaled: Vec<f64> = g.iter().zip(&gamma).map(|(g, gamma)| g * gamma).collect();
        let of_mean = scaled.iter().sum::<f64>() / count;
        let product: f64 = scaled.iter().zip(&normal).map(|(g, n)| g * n).sum();
        for c in 0..channels {
            results[0].push(normal[c] * gamma[c] + beta[c]);
            results[1].push((scaled[c] - of_mean - normal[c] * product / count) / deviation);
            results[2][c] += g[c] * normal[c];
            results[3][c] += g[c];
        }
    }
    results
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn values_and_gradients_equal_f64_and_burns(
        rows in 1_usize..60, channels in 4_usize..200, seed in 20_u64..99,
    ) {
        let x = || tensor::<2>([rows, channels], seed, &flex().autodiff());
        let found = ours(x());
        let expected = oracle(&numbers(rows * channels, seed), channels);
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let off = distance(found, expected);
            prop_assert!(off < 2e-5, "result {}: off by {:e}", index, off);
        }
        for (index, (found, burns)) in found.iter().zip(&burns(x())).enumerate() {
            let off = distance(found, burns);
            prop_assert!(off < 5e-5, "result {}: {:e} from Burn's", index, off);
        }
    }
}

#[test]
fn more_than_one_block_equals_f64() {
    let found = ours(tensor::<2>([700, 96], 5, &flex().autodiff()));
    for (found, expected) in found.iter().zip(&oracle(&numbers(700 * 96, 5), 96)) {
        assert!(distance(found, expected) < 1e-5);
    }
}

#[test]
fn a_large_mean_does_not_drown_the_variance() {
    let x = || tensor::<2>([5, 192], 1, &flex().autodiff()) + 1000.0;
    let stored: Vec<f32> = values(&x()).into_iter().map(|x| x as f32).collect();
    assert!(distance(&ours(x())[0], &oracle(&stored, 192)[0]) < 1e-3);
}

#[test]
fn gradients_equal_finite_differences() {
    let x = numbers(24, 1);
    let loss = |x: &[f32]| {
        let x = Tensor::<2>::from_data(TensorData::new(x.to_vec(), [3, 8]), &flex().autodiff());
        let [y, gradient, ..] = ours(x);
        let weights = numbers(24, 3);
        (y.iter().zip(weights).map(|(y, w)| y * f64::from(w)).sum::<f64>(), gradient)
    };
    let (_, gradient) = loss(&x);
    for (at, expected) in gradient.into_iter().enumerate() {
        let found = difference(|x| loss(x).0, &x, at, 1e-3);
        assert!((found - expected).abs() < 5e-3, "{at}: {found}, not {expected}");
    }
}

#[test]
fn what_is_not_finite_travels_as_in_burns() {
    for bad in [f32::NAN, f32::INFINITY] {
        let mut x = numbers(4 * 9, 1);
        x[5] = bad;
        let x = || Tensor::<2>::from_data(TensorData::new(x.clone(), [4, 9]), &flex().autodiff());
        let (found, expected) = (ours(x()), burns(x()));
        for (&found, &expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!(same(found, expected), "expected {expected}, found {found}");
        }
    }
}

#[test]
fn a_layer_without_a_shift_equals_burns() {
    let device = flex().autodiff();
    let config = config(10).with_bias(false);
    let (ours, burns) = (LayerNorm::new(&config, &device), config.init(&device));
    assert!(ours.beta.is_none());
    let run = |forward: &dyn Fn(Tensor<3>) -> Tensor<3>| {
        let x = tensor::<3>([2, 3, 10], 1, &device).require_grad();
        let gradients = forward(x.clone()).powi_scalar(3).sum().backward();
        values(&x.grad(&gradients).unwrap())
    };
    let (found, expected) = (run(&|x| ours.forward(x)), run(&|x| burns.forward(x)));
    assert!(distance(&found, &expected) < 2e-5);
}

#[test]
fn an_input_of_sixteen_bits_is_normalised_as_exactly_as_it_is_given() {
    // 16 bits hold each of these numbers, whose mean is far from zero, but not their sum.
    let ramp = Tensor::<1, burn::tensor::Int>::arange(0..4096, &flex()).float();
    let x = ((ramp * 0.37).sin() + 20.0).reshape([1, 4096]).cast(DType::F16);
    let norm = LayerNorm::new(&config(4096), &flex());
    let found = norm.forward(x.clone());
    assert_eq!(found.dtype(), DType::F16);
    let exact = norm.forward(x.cast(DType::F32));
    let worst = (found.cast(DType::F32) - exact).abs().max().into_scalar::<f32>();
    assert!(worst < 2e-3, "{worst}");
}

#[test]
fn results_are_the_same_for_any_number_of_threads() {
    let run = |threads| on_threads(threads, || ours(tensor::<2>([700, 96], 5, &flex().autodiff())));
    assert_eq!(run(1), run(2));
}
