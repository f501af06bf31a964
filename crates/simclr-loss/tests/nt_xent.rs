//! Every form of NT-Xent against an f64 oracle, finite differences and its mathematical properties.

mod support;

use burn::tensor::{Device, Tensor};
use proptest::prelude::*;
use simclr_loss::{NaiveNtXent, NtXent};
use support::{
    FORMS, Rows, finite_differences, gradient, gradient_of, loss, oracle, tensor, value,
};

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
#[should_panic(expected = "expected two views of the same shape [n, d], found [2, 3] and [3, 3]")]
fn views_of_different_length_are_refused_with_both_shapes() {
    let device = Device::flex();
    let (z_a, z_b) = (Tensor::<2>::ones([2, 3], &device), Tensor::<2>::ones([3, 3], &device));
    let _ = NtXent::new(0.5).unwrap().forward(z_a, z_b);
}

#[test]
fn what_comes_downstream_scales_the_gradient() {
    let z_a = vec![vec![1.0, 2.0], vec![3.0, -2.0], vec![1.0, 5.0]];
    let z_b = vec![vec![1.0, 0.75], vec![2.8, -1.75], vec![1.0, 4.7]];
    for form in FORMS {
        let once = gradient(form, 0.5, &z_a, &z_b);
        // Three times the square: 6 times the value at which it is taken.
        let at = value(form, 0.5, &z_a, &z_b);
        let scaled = gradient_of(&support::Place::of(form), &[&z_a, &z_b], |views| {
            loss(form, 0.5).forward(views[0].clone(), views[1].clone()).square().mul_scalar(3.0)
        });
        for (scaled, once) in scaled.iter().zip(&once) {
            assert!(
                (scaled - 6.0 * at * once).abs() < 1e-5,
                "{form}: {scaled}, not {}",
                6.0 * at * once
            );
        }
    }
}

#[test]
fn a_view_that_is_not_tracked_is_a_constant() {
    for form in FORMS {
        let on = support::Place::of(form).device.autodiff();
        let z_a = tensor(&vec![vec![1.0, 2.0], vec![3.0, -2.0]], &on).require_grad();
        let z_b = tensor(&vec![vec![1.0, 0.75], vec![2.8, -1.75]], &on);
        let gradients = loss(form, 0.5).forward(z_a.clone(), z_b.clone()).backward();
        assert!(z_a.grad(&gradients).is_some(), "{form}");
        assert!(z_b.grad(&gradients).is_none(), "{form}");
    }
}

#[test]
fn without_autodiff_the_result_is_not_tracked() {
    for form in FORMS {
        let z = Tensor::<2>::ones([2, 3], &support::Place::of(form).device);
        assert!(!loss(form, 0.5).forward(z.clone(), z).is_autodiff(), "{form}");
    }
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
        let expected = finite_differences(&[&z_a, &z_b], |z| oracle(t, &z[0], &z[1]));
        for form in FORMS {
            for (index, (found, expected)) in gradient(form, t, &z_a, &z_b).iter().zip(&expected).enumerate() {
                prop_assert!((found - expected).abs() < 1e-4 * (1.0 + 1.0 / t), "{form}[{index}]: {found} {expected}");
            }
        }
    }

    #[test]
    fn naive_vectorized_and_tiled_agree_to_a_millionth((z_a, z_b) in views(24, 16), t in 0.2..2.0) {
        let reference = value("vectorized", t, &z_a, &z_b);
        for form in FORMS {
            let found = value(form, t, &z_a, &z_b);
            prop_assert!((found - reference).abs() < 1e-6 * reference.abs().max(1.0), "{form}: {found} {reference}");
        }
    }

    #[test]
    fn swapping_the_views_changes_nothing((z_a, z_b) in views(6, 9), t in 0.1..2.0) {
        for form in FORMS {
            let difference = value(form, t, &z_a, &z_b) - value(form, t, &z_b, &z_a);
            prop_assert!(difference.abs() < 1e-5, "{form}: {difference}");
        }
    }

    #[test]
    fn the_order_of_the_images_does_not_matter((z_a, z_b) in views(6, 9), t in 0.1..2.0) {
        let reversed = |z: &Rows| z.iter().rev().cloned().collect::<Rows>();
        for form in FORMS {
            let difference = value(form, t, &z_a, &z_b) - value(form, t, &reversed(&z_a), &reversed(&z_b));
            prop_assert!(difference.abs() < 1e-5, "{form}: {difference}");
        }
    }

    #[test]
    fn the_length_of_a_projection_does_not_matter((z_a, z_b) in views(6, 9), factor in 0.01..100.0) {
        let scaled: Rows = z_a.iter().map(|row| row.iter().map(|x| x * factor).collect()).collect();
        for form in FORMS {
            let difference = value(form, 0.5, &z_a, &z_b) - value(form, 0.5, &scaled, &z_b);
            prop_assert!(difference.abs() < 1e-5, "{form}: {difference}");
        }
    }

    #[test]
    fn identical_projections_give_the_loss_at_chance_level(n in 1..20_usize, t in 0.01..5.0) {
        let same = vec![vec![0.3, -0.4, 0.5]; n];
        let expected = ((2 * n - 1) as f64).ln();
        prop_assert!((NtXent::chance_loss(n) - expected).abs() < 1e-12);
        for form in FORMS {
            let found = value(form, t, &same, &same);
            // The cosines cancel: what remains is f32's rounding of the terms.
            prop_assert!((found - expected).abs() < 1e-6 * (1.0 + expected + 1.0 / t), "{form}: {found} {expected}");
        }
    }

    #[test]
    fn bringing_a_positive_pair_together_lowers_the_loss((z_a, z_b) in views(1, 6)) {
        // Among fixed negatives, orthogonal to everything the pair can do.
        let pad = |z: &[f64], extra: [f64; 2]| [z, &extra].concat();
        let d = z_a[0].len();
        let negative = pad(&vec![0.0; d], [1.0, 0.0]);
        for form in FORMS {
            let loss = |partner: Vec<f64>| {
                let a = vec![pad(&z_a[0], [0.0, 0.0]), negative.clone()];
                value(form, 0.5, &a, &vec![partner, pad(&vec![0.0; d], [0.0, 1.0])])
            };
            let (apart, together) = (pad(&z_b[0], [0.0, 0.0]), pad(&z_a[0], [0.0, 0.0]));
            prop_assert!(loss(together) <= loss(apart) + 1e-6, "{form}");
        }
    }

    #[test]
    fn self_pairs_leave_the_gradient((z_a, z_b) in views(6, 9), t in 0.1..2.0) {
        // Only a row's direction counts, so that its gradient is orthogonal to it. A self-pair that
        // leaked into the gradient would break that first.
        let rows: Vec<&Vec<f64>> = z_a.iter().chain(&z_b).collect();
        for form in FORMS {
            let gradient = gradient(form, t, &z_a, &z_b);
            for (z, g) in rows.iter().zip(gradient.chunks(z_a[0].len())) {
                let along: f64 = z.iter().zip(g).map(|(x, y)| x * y).sum();
                prop_assert!(along.abs() < 1e-5 * (1.0 + 1.0 / t), "{form}: {along}");
            }
        }
    }
}
