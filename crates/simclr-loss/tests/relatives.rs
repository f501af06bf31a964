//! The relatives of NT-Xent: the decoupled loss, labels, several views, images that occur twice.

#![expect(clippy::float_cmp, reason = "what must be zero is exactly that")]

mod support;

use burn::tensor::{Device, Tensor};
use proptest::prelude::*;
use simclr_loss::{DecoupledNtXent, NtXent, SupCon};
use support::{Oracle, Place, Rows, finite_differences, gradient, gradient_of, tensor, value};

/// As many views as wanted of up to `max_n` images, with a number below 3 for each image.
fn views(
    count: usize,
    max_n: usize,
    max_d: usize,
) -> impl Strategy<Value = (Vec<Rows>, Vec<usize>)> {
    let number = prop_oneof![-2.0..-0.1, 0.1..2.0];
    (1..=max_n, 1..=max_d).prop_flat_map(move |(n, d)| {
        let view = prop::collection::vec(prop::collection::vec(number.clone(), d), n);
        (prop::collection::vec(view, count), prop::collection::vec(0..3_usize, n))
    })
}

/// Both implementations of the tiled losses: f32 on flex has one of its own.
fn places() -> [Place; 2] {
    [Place::of("tiled"), Place::of("tiled in f64")]
}

fn check(
    views: &[Rows],
    loss: impl Fn(&[Tensor<2>]) -> Tensor<1>,
    oracle: impl Fn(&[Rows]) -> f64,
) -> Result<(), TestCaseError> {
    let borrowed: Vec<&Rows> = views.iter().collect();
    let expected = oracle(views);
    let slopes = finite_differences(&borrowed, &oracle);
    for place in places() {
        let tensors: Vec<_> = views.iter().map(|rows| place.tensor(rows)).collect();
        let found = loss(&tensors).into_scalar::<f64>();
        prop_assert!((found - expected).abs() < 1e-5, "{place:?}: {found} {expected}");
        for (found, slope) in gradient_of(&place, &borrowed, &loss).iter().zip(&slopes) {
            prop_assert!((found - slope).abs() < 1e-3, "{place:?}: {found} {slope}");
        }
    }
    Ok(())
}

fn oracle_of(views: &[Rows], t: f64) -> Oracle<'_> {
    Oracle::new(t, &views.iter().collect::<Vec<_>>())
}

#[test]
fn an_anchor_without_a_positive_is_left_out() {
    let device = Device::flex();
    let z: Rows = vec![vec![1.0, 0.5], vec![0.8, -0.3], vec![-0.2, 1.0]];
    let loss = SupCon::new(0.5).unwrap();
    let labels = [4, 4, 9];
    let found = loss.forward(&[tensor(&z, &device)], &labels).into_scalar::<f64>();
    let expected = Oracle::new(0.5, &[&z]).loss(|i, k| labels[i] == labels[k], |_, _| true);
    assert!((found - expected).abs() < 1e-6, "{found} {expected}");
}

#[test]
fn without_any_positive_the_loss_and_its_gradient_are_zero() {
    let z: Rows = vec![vec![1.0, 0.5], vec![0.8, -0.3], vec![-0.2, 1.0]];
    let loss = SupCon::new(0.5).unwrap();
    for place in places() {
        let found = loss.forward(&[place.tensor(&z)], &[1, 2, 3]).into_scalar::<f64>();
        assert_eq!(found, 0.0);
        let gradient = gradient_of(&place, &[&z], |views| loss.forward(views, &[1, 2, 3]));
        assert_eq!(gradient, [0.0; 6]);
        // A row that is alone in the batch has nothing in its denominator either.
        let alone = vec![z[0].clone()];
        assert_eq!(loss.forward(&[place.tensor(&alone)], &[1]).into_scalar::<f64>(), 0.0);
        let gradient = gradient_of(&place, &[&alone], |views| loss.forward(views, &[1]));
        assert_eq!(gradient, [0.0; 2]);
    }
}

#[test]
#[should_panic(expected = "expected one id for each of 2 images, found 3")]
fn a_wrong_number_of_ids_is_refused_with_both_numbers() {
    let z = Tensor::<2>::ones([2, 3], &Device::flex());
    let _ = NtXent::new(0.5).unwrap().forward_with_ids(z.clone(), z, &[0, 1, 2]);
}

#[test]
#[should_panic(expected = "expected one label for each of 2 samples, found 1")]
fn a_wrong_number_of_labels_is_refused_with_both_numbers() {
    let z = Tensor::<2>::ones([2, 3], &Device::flex());
    let _ = SupCon::new(0.5).unwrap().forward(&[z], &[0]);
}

#[test]
#[should_panic(expected = "expected at least one view")]
fn no_view_at_all_is_refused() {
    let _ = NtXent::new(0.5).unwrap().forward_views(&[]);
}

#[test]
fn decoupled_identical_projections_give_the_loss_at_chance_level() {
    for n in [1, 2, 3, 20] {
        let same = vec![vec![0.3, -0.4, 0.5]; n];
        let found = value("decoupled", 0.5, &same, &same);
        let expected = DecoupledNtXent::chance_loss(n);
        assert!((found - expected).abs() < 1e-5, "{n}: {found} {expected}");
    }
    assert!((DecoupledNtXent::chance_loss(20) - 38_f64.ln()).abs() < 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn decoupled_leaves_the_partner_out_of_the_denominator((z, _) in views(2, 5, 6), t in 0.1..2.0) {
        prop_assume!(z[0].len() > 1);
        let n = z[0].len();
        let oracle = |z: &[Rows]| oracle_of(z, t).loss(|i, k| i % n == k % n, |i, k| i % n != k % n);
        let slopes = finite_differences(&[&z[0], &z[1]], oracle);
        for form in ["decoupled", "decoupled in f64"] {
            let found = value(form, t, &z[0], &z[1]);
            prop_assert!((found - oracle(&z)).abs() < 1e-5, "{form}: {found} {}", oracle(&z));
            for (found, slope) in gradient(form, t, &z[0], &z[1]).iter().zip(&slopes) {
                prop_assert!((found - slope).abs() < 1e-3, "{form}: {found} {slope}");
            }
        }
    }

    #[test]
    fn sup_con_equals_its_oracle((z, labels) in views(2, 5, 6), t in 0.1..2.0) {
        let n = labels.len();
        let loss = SupCon::new(t).unwrap();
        check(
            &z,
            |views| loss.forward(views, &labels),
            |z| oracle_of(z, t).loss(|i, k| labels[i % n] == labels[k % n], |_, _| true),
        )?;
    }

    #[test]
    fn several_views_equal_their_oracle((z, _) in views(4, 4, 5), count in 1..=4_usize, t in 0.1..2.0) {
        let n = z[0].len();
        let loss = NtXent::new(t).unwrap();
        check(
            &z[..count],
            |views| loss.forward_views(views),
            |z| oracle_of(z, t).loss(|i, k| i % n == k % n, |_, _| true),
        )?;
    }

    #[test]
    fn the_same_image_twice_is_no_negative((z, ids) in views(2, 6, 5), t in 0.1..2.0) {
        let n = ids.len();
        let loss = NtXent::new(t).unwrap();
        check(
            &z,
            |views| loss.forward_with_ids(views[0].clone(), views[1].clone(), &ids),
            |z| oracle_of(z, t).loss(
                |i, k| i % n == k % n,
                |i, k| i % n == k % n || ids[i % n] != ids[k % n],
            ),
        )?;
    }

    #[test]
    fn different_ids_change_nothing((z, _) in views(2, 6, 5), t in 0.1..2.0) {
        let device = Device::flex();
        let (a, b) = (tensor(&z[0], &device), tensor(&z[1], &device));
        let ids: Vec<usize> = (0..z[0].len()).map(|i| 100 - i).collect();
        let loss = NtXent::new(t).unwrap();
        let told = loss.forward_with_ids(a.clone(), b.clone(), &ids).into_scalar::<f64>();
        let plain = loss.forward(a, b).into_scalar::<f64>();
        prop_assert!((told - plain).abs() < 1e-5);
    }
}
