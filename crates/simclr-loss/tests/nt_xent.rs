//! What NT-Xent must be, whatever its form: against an f64 oracle, finite differences and its
//! mathematical properties.

use burn::tensor::{Device, Tensor, TensorData};
use proptest::prelude::*;
use simclr_loss::{NaiveNtXent, NtXent, TiledNtXent, VectorizedNtXent};

type Rows = Vec<Vec<f64>>;

/// The form under test, by name, so that a failure says which.
const FORMS: [&str; 4] = ["naive", "vectorized", "tiled", "front door"];

fn forward(form: &str, t: f64, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
    let checked = "the tests use valid temperatures";
    match form {
        "naive" => NaiveNtXent::new(t).expect(checked).forward(z_a, z_b),
        "vectorized" => VectorizedNtXent::new(t).expect(checked).forward(z_a, z_b),
        "tiled" => TiledNtXent::new(t).expect(checked).forward(z_a, z_b),
        _ => NtXent::new(t).expect(checked).forward(z_a, z_b),
    }
}

fn tensor(rows: &Rows, device: &Device) -> Tensor<2> {
    let values: Vec<f32> = rows.iter().flatten().map(|&x| x as f32).collect();
    Tensor::from_data(TensorData::new(values, [rows.len(), rows[0].len()]), device)
}

fn value(form: &str, t: f64, z_a: &Rows, z_b: &Rows) -> f64 {
    let device = Device::flex();
    forward(form, t, tensor(z_a, &device), tensor(z_b, &device)).into_scalar()
}

/// Equation 1 in f64, one anchor after the other, sharing no code with the crate.
fn oracle(t: f64, z_a: &Rows, z_b: &Rows) -> f64 {
    let z: Vec<&Vec<f64>> = z_a.iter().chain(z_b).collect();
    let n = z_a.len();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let s = |i: usize, k: usize| {
        dot(z[i], z[k]) / (dot(z[i], z[i]).sqrt() * dot(z[k], z[k]).sqrt()) / t
    };
    let l = |i: usize, j: usize| {
        -s(i, j) + (0..2 * n).filter(|&k| k != i).map(|k| s(i, k).exp()).sum::<f64>().ln()
    };
    (0..2 * n).map(|i| l(i, (i + n) % (2 * n))).sum::<f64>() / (2 * n) as f64
}

/// Gradients with respect to both views, view a's rows first.
fn gradient(form: &str, t: f64, z_a: &Rows, z_b: &Rows) -> Vec<f64> {
    let device = Device::flex().autodiff();
    let (a, b) = (tensor(z_a, &device).require_grad(), tensor(z_b, &device).require_grad());
    let gradients = forward(form, t, a.clone(), b.clone()).backward();
    [a, b]
        .iter()
        .flat_map(|z| {
            z.grad(&gradients)
                .expect("both views are tracked")
                .to_data_as::<f64>()
                .iter::<f64>()
                .collect::<Vec<_>>()
        })
        .collect()
}

fn views(max_n: usize, max_d: usize) -> impl Strategy<Value = (Rows, Rows)> {
    // Away from zero, where a cosine has no derivative and f32 no digits.
    let number = prop_oneof![-2.0..-0.1, 0.1..2.0];
    (1..=max_n, 1..=max_d).prop_flat_map(move |(n, d)| {
        let view = prop::collection::vec(prop::collection::vec(number.clone(), d), n);
        (view.clone(), view)
    })
}

#[test]
fn the_worked_example_of_the_tutorials_is_met() {
    let z_a = vec![vec![1.0, 2.0], vec![3.0, -2.0], vec![1.0, 5.0]];
    let z_b = vec![vec![1.0, 0.75], vec![2.8, -1.75], vec![1.0, 4.7]];
    let device = Device::flex();
    let explained =
        NaiveNtXent::new(0.5).unwrap().explain(&tensor(&z_a, &device), &tensor(&z_b, &device));
    assert!((explained.cosines[0][1] - -0.1240).abs() < 5e-5);
    assert!((explained.cosines[0][4] - -0.0948).abs() < 5e-5);
    assert!((explained.loss - oracle(0.5, &z_a, &z_b)).abs() < 1e-6);
    let printed = explained.to_string();
    assert!(printed.contains("-0.1240") && printed.contains("-0.0948"), "{printed}");
}

#[test]
fn temperature_0_01_is_safe_when_every_view_opposes_its_anchor() {
    // exp(-200) is below the smallest f32: only the right shift keeps the denominator above zero.
    let (z_a, z_b) = (vec![vec![1.0, 0.0]], vec![vec![-1.0, 0.0]]);
    for form in FORMS {
        assert!(value(form, 0.01, &z_a, &z_b).abs() < 1e-4, "{form}: one pair has no negatives");
        assert!(gradient(form, 0.01, &z_a, &z_b).iter().all(|g| g.is_finite()), "{form}");
    }
    let (z_a, z_b) = (vec![vec![1.0, 0.0]; 2], vec![vec![-1.0, 0.0], vec![1.0, 0.0]]);
    for form in FORMS {
        let (found, expected) = (value(form, 0.01, &z_a, &z_b), oracle(0.01, &z_a, &z_b));
        assert!((found / expected - 1.0).abs() < 1e-5, "{form}: {found} against {expected}");
    }
}

#[test]
fn a_projection_of_zeros_is_alike_to_nothing_and_gets_no_gradient() {
    let (z_a, z_b) = (vec![vec![0.0, 0.0], vec![1.0, 2.0]], vec![vec![1.0, 1.0], vec![2.0, 1.0]]);
    for form in FORMS {
        assert!(value(form, 0.5, &z_a, &z_b).is_finite(), "{form}");
        let gradient = gradient(form, 0.5, &z_a, &z_b);
        assert_eq!(gradient[..2], [0.0, 0.0], "{form}");
        assert!(gradient.iter().all(|g| g.is_finite()), "{form}: {gradient:?}");
    }
}

#[test]
fn half_precision_projections_are_computed_in_f32() {
    use burn::tensor::DType;
    let device = Device::flex();
    let z = Tensor::<2>::from_data([[100.0, 200.0], [300.0, -200.0], [-50.0, 5.0]], &device);
    for dtype in [DType::F16, DType::BF16] {
        let half = z.clone().cast(dtype);
        let loss = NtXent::new(0.1).unwrap().forward(half.clone(), half);
        assert_eq!(loss.dtype(), DType::F32);
        let exact = NtXent::new(0.1).unwrap().forward(z.clone(), z.clone());
        assert!((loss.into_scalar::<f64>() - exact.into_scalar::<f64>()).abs() < 1e-2);
    }
}

#[test]
#[should_panic(expected = "expected two views of the same shape [n, d], found [2, 3] and [3, 3]")]
fn views_of_different_length_are_refused_with_both_shapes() {
    let device = Device::flex();
    let (z_a, z_b) = (Tensor::<2>::ones([2, 3], &device), Tensor::<2>::ones([3, 3], &device));
    let _ = NtXent::new(0.5).unwrap().forward(z_a, z_b);
}

#[test]
fn without_autodiff_the_result_is_not_tracked() {
    let z = Tensor::<2>::ones([2, 3], &Device::flex());
    assert!(!NtXent::new(0.5).unwrap().forward(z.clone(), z).is_autodiff());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn every_form_equals_the_oracle((z_a, z_b) in views(6, 9), t in 0.05..2.0) {
        let expected = oracle(t, &z_a, &z_b);
        for form in FORMS {
            let found = value(form, t, &z_a, &z_b);
            // f32 keeps 7 digits of terms as large as 1/t.
            prop_assert!((found - expected).abs() < 1e-6 * (1.0 + 2.0 / t), "{form}: {found} {expected}");
        }
    }

    #[test]
    fn gradients_equal_the_oracles_finite_differences((z_a, z_b) in views(4, 5), t in 0.1..2.0) {
        let step = 1e-5;
        let (n, d) = (z_a.len(), z_a[0].len());
        for form in FORMS {
            let gradient = gradient(form, t, &z_a, &z_b);
            for (index, found) in gradient.iter().enumerate() {
                let moved = |by: f64| {
                    let mut z = [z_a.clone(), z_b.clone()];
                    z[index / (n * d)][index / d % n][index % d] += by;
                    oracle(t, &z[0], &z[1])
                };
                let expected = (moved(step) - moved(-step)) / (2.0 * step);
                prop_assert!((found - expected).abs() < 1e-4 * (1.0 + 1.0 / t), "{form}[{index}]: {found} {expected}");
            }
        }
    }

    #[test]
    fn swapping_the_views_changes_nothing((z_a, z_b) in views(6, 9), t in 0.1..2.0) {
        let difference = value("vectorized", t, &z_a, &z_b) - value("vectorized", t, &z_b, &z_a);
        prop_assert!(difference.abs() < 1e-5);
    }

    #[test]
    fn the_order_of_the_images_does_not_matter((z_a, z_b) in views(6, 9), t in 0.1..2.0) {
        let reversed = |z: &Rows| z.iter().rev().cloned().collect::<Rows>();
        let difference = value("vectorized", t, &z_a, &z_b) - value("vectorized", t, &reversed(&z_a), &reversed(&z_b));
        prop_assert!(difference.abs() < 1e-5);
    }

    #[test]
    fn the_length_of_a_projection_does_not_matter((z_a, z_b) in views(6, 9), factor in 0.01..100.0) {
        let scaled: Rows = z_a.iter().map(|row| row.iter().map(|x| x * factor).collect()).collect();
        prop_assert!((value("vectorized", 0.5, &z_a, &z_b) - value("vectorized", 0.5, &scaled, &z_b)).abs() < 1e-5);
    }

    #[test]
    fn identical_projections_give_ln_2n_minus_1(n in 1..20_usize, t in 0.01..5.0) {
        let same = vec![vec![0.3, -0.4, 0.5]; n];
        let found = value("vectorized", t, &same, &same);
        let expected = ((2 * n - 1) as f64).ln();
        // The cosines cancel: what remains is f32's rounding of the terms.
        prop_assert!((found - expected).abs() < 1e-6 * (1.0 + expected + 1.0 / t), "{found} {expected}");
    }

    #[test]
    fn bringing_a_positive_pair_together_lowers_the_loss((z_a, z_b) in views(1, 6)) {
        // Among fixed negatives, orthogonal to everything the pair can do.
        let pad = |z: &[f64], extra: [f64; 2]| [z, &extra].concat();
        let d = z_a[0].len();
        let negative = pad(&vec![0.0; d], [1.0, 0.0]);
        let loss = |partner: Vec<f64>| {
            let a = vec![pad(&z_a[0], [0.0, 0.0]), negative.clone()];
            value("vectorized", 0.5, &a, &vec![partner, pad(&vec![0.0; d], [0.0, 1.0])])
        };
        let (apart, together) = (pad(&z_b[0], [0.0, 0.0]), pad(&z_a[0], [0.0, 0.0]));
        prop_assert!(loss(together) <= loss(apart) + 1e-6);
    }
}
