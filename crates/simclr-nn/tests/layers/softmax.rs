//! Softmax against f64 and against Burn's own.

use burn::tensor::activation;
use burn::tensor::{DType, Tensor, TensorData};
use proptest::prelude::*;
use simclr_nn::softmax;

use crate::support::{distance, flex, numbers, on_threads, same, tensor, values};

/// The softmax and the gradient of its input.
fn results<const D: usize>(
    x: Tensor<D>,
    function: impl Fn(Tensor<D>) -> Tensor<D>,
) -> [Vec<f64>; 2] {
    let x = x.require_grad();
    let y = function(x.clone());
    let weights = tensor(y.dims(), 7, &x.device());
    let gradients = (y.clone() * weights).sum().backward();
    [values(&y), values(&x.grad(&gradients).unwrap())]
}

fn oracle(x: &[f32], columns: usize) -> [Vec<f64>; 2] {
    let weights = numbers(x.len(), 7);
    let (mut y, mut dx) = (Vec::new(), Vec::new());
    for (x, weights) in x.chunks(columns).zip(weights.chunks(columns)) {
        let largest = f64::from(x.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let powers: Vec<f64> = x.iter().map(|&x| (f64::from(x) - largest).exp()).collect();
        let sum: f64 = powers.iter().sum();
        let row: Vec<f64> = powers.iter().map(|power| power / sum).collect();
        let mean: f64 = row.iter().zip(weights).map(|(y, &w)| y * f64::from(w)).sum();
        dx.extend(row.iter().zip(weights).map(|(y, &w)| y * (f64::from(w) - mean)));
        y.extend(row);
    }
    [y, dx]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn values_and_gradients_equal_f64_and_burns(
        rows in 1_usize..20, columns in 1_usize..300, scale in 0.1_f32..30.0, seed in 0_u64..99,
    ) {
        let x: Vec<f32> = numbers(rows * columns, seed).iter().map(|x| x * scale).collect();
        let expected = oracle(&x, columns);
        let x = || Tensor::<2>::from_data(TensorData::new(x.clone(), [rows, columns]), &flex().autodiff());
        let found = results(x(), softmax);
        let burns = results(x(), |x| activation::softmax(x, 1));
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert!(distance(found, expected) < 1e-5 || columns == 1);
        }
        prop_assert!(distance(&found[0], &burns[0]) < 1e-5);
    }
}

#[test]
fn what_is_not_finite_travels_as_in_burns() {
    let (bad, low) = (f32::NAN, f32::NEG_INFINITY);
    let rows =
        [[0.0, bad, 1.0], [1.0, f32::INFINITY, 2.0], [low, 1.0, 2.0], [low; 3], [1e30, -1e30, 0.0]];
    let x = || Tensor::<2>::from_data(rows, &flex());
    let (found, burns) = (values(&softmax(x())), values(&activation::softmax(x(), 1)));
    for (found, expected) in found.into_iter().zip(burns) {
        assert!(same(found, expected), "expected {expected}, found {found}");
    }
}

#[test]
fn a_softmax_of_sixteen_bits_adds_up_to_one() {
    let ramp = Tensor::<1, burn::tensor::Int>::arange(0..4096, &flex()).float();
    let x = ((ramp * 0.37).sin() + 20.0).reshape([1, 4096]).cast(DType::F16);
    let found = softmax(x);
    assert_eq!(found.dtype(), DType::F16);
    let sum = found.cast(DType::F32).sum().into_scalar::<f32>();
    assert!((sum - 1.0).abs() < 1e-3, "{sum}");
}

#[test]
fn results_are_the_same_for_any_number_of_threads() {
    let run = |threads| {
        on_threads(threads, || results(tensor::<2>([300, 197], 1, &flex().autodiff()), softmax))
    };
    assert_eq!(run(1), run(2));
}
