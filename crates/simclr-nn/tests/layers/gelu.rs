//! GELU against f64, against Burn's own, and against finite differences.

use burn::tensor::activation;
use burn::tensor::{Device, Tensor, TensorData};
use simclr_nn::gelu;

use crate::support::{difference, distance, flex, on_threads, same, tensor, values};

/// The error function to within 1e-15, by its series, or its continued fraction far from zero.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    if a < 3.0 {
        let mut term = a;
        let mut sum = a;
        for n in 1..120 {
            term *= -a * a / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return (2.0 / std::f64::consts::PI.sqrt() * sum).copysign(x);
    }
    let fraction = (1..=60).rev().fold(0.0, |below, n| f64::from(n) / 2.0 / (a + below));
    (1.0 - (-a * a).exp() / (std::f64::consts::PI.sqrt() * (a + fraction))).copysign(x)
}

fn exact(x: f64) -> f64 {
    0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2))
}

fn slope(x: f64) -> f64 {
    let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    0.5 * (1.0 + erf(x / std::f64::consts::SQRT_2)) + x * density
}

/// GELU of `x`, and its derivative.
fn ours(x: &[f32], function: impl Fn(Tensor<1>) -> Tensor<1>) -> [Vec<f64>; 2] {
    let device = flex().autodiff();
    let x = Tensor::<1>::from_data(TensorData::new(x.to_vec(), [x.len()]), &device).require_grad();
    let y = function(x.clone());
    let gradients = y.clone().sum().backward();
    [values(&y), values(&x.grad(&gradients).unwrap())]
}

#[test]
fn values_and_gradients_equal_f64_and_burns() {
    let x: Vec<f32> = (-3000..3001).map(|i| i as f32 * 0.01).collect();
    let [y, dx] = ours(&x, gelu);
    let [burns, burns_dx] = ours(&x, activation::gelu);
    for (i, &x) in x.iter().enumerate() {
        let x = f64::from(x);
        assert!((y[i] - exact(x)).abs() < 1e-6 * (1.0 + x.abs()), "{x}: {}", y[i]);
        assert!((dx[i] - slope(x)).abs() < 1e-6, "{x}: {}, not {}", dx[i], slope(x));
        assert!((y[i] - burns[i]).abs() < 1e-6 * (1.0 + x.abs()), "{x}: {}", y[i]);
        assert!((dx[i] - burns_dx[i]).abs() < 1e-5, "{x}: {}, not {}", dx[i], burns_dx[i]);
    }
}

#[test]
fn gradients_equal_finite_differences() {
    let x = [-2.5, -1.0, -0.1, 0.0, 0.3, 1.7];
    let [_, gradient] = ours(&x, gelu);
    let loss = |x: &[f32]| ours(x, gelu)[0].iter().sum();
    for (at, expected) in gradient.iter().enumerate() {
        let found = difference(loss, &x, at, 1e-2);
        assert!((found - expected).abs() < 1e-3, "{at}: {found}, not {expected}");
    }
}

#[test]
fn what_is_not_finite_travels_as_in_burns() {
    let x = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30, 0.0, 1.0];
    let [y, _] = ours(&x, gelu);
    let [burns, _] = ours(&x, activation::gelu);
    for (found, expected) in y.iter().zip(burns) {
        assert!(same(*found, expected), "expected {expected}, found {found}");
    }
}

#[test]
fn any_shape_and_any_strides_are_taken() {
    let device: Device = flex().autodiff();
    let x = tensor::<3>([3, 5, 7], 1, &device).require_grad();
    let across = |x: &Tensor<3>| x.clone().swap_dims(0, 2);
    let (found, expected) = (gelu(across(&x)), activation::gelu(across(&x)));
    assert!(distance(&values(&found), &values(&expected)) < 1e-6);
    let weights = tensor::<3>([7, 5, 3], 2, &device);
    let gradient = |y: Tensor<3>| values(&x.grad(&(y * weights.clone()).sum().backward()).unwrap());
    assert!(distance(&gradient(found), &gradient(expected)) < 1e-5);
}

#[test]
fn results_are_the_same_for_any_number_of_threads() {
    let x: Vec<f32> = (0..100_000).map(|i| (i as f32 * 0.37).sin() * 4.0).collect();
    let run = |threads| on_threads(threads, || ours(&x, gelu));
    assert_eq!(run(1), run(2));
}
