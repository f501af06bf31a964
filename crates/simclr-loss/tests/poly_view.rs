//! The loss of any number of views against loops in f64.

#![expect(clippy::float_cmp, reason = "what must be zero is exactly that")]

mod support;

use burn::tensor::Tensor;
use proptest::prelude::*;
use simclr_loss::{NtXent, PolyView, PolyViewForm};
use support::{Oracle, Place, Rows, finite_differences, gradient_of};

const FORMS: [PolyViewForm; 3] =
    [PolyViewForm::Geometric, PolyViewForm::Arithmetic, PolyViewForm::SufficientStatistics];

/// Two to eight views of two to four images.
fn views() -> impl Strategy<Value = Vec<Rows>> {
    (2..=8_usize, 2..=4_usize, 2..=5_usize).prop_flat_map(|(views, n, d)| {
        let number = prop_oneof![-2.0..-0.1, 0.1..2.0];
        let row = prop::collection::vec(number, d);
        prop::collection::vec(prop::collection::vec(row, n), views)
    })
}

/// The formulas of the docs, one anchor after the other.
fn oracle(form: PolyViewForm, t: f64, views: &[Rows]) -> f64 {
    let (n, count) = (views[0].len(), views.len());
    let rows: Vec<&Rows> = views.iter().collect();
    let all = Oracle::new(t, &rows);
    let mut losses = Vec::new();
    for i in 0..count * n {
        if form == PolyViewForm::SufficientStatistics {
            let unit = |row: &[f64]| {
                let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
                row.iter().map(|x| x / length).collect::<Vec<_>>()
            };
            let mean = |image: usize| {
                let mut sum = vec![0.0; all.z[0].len()];
                for view in (0..count).filter(|&view| view != i / n) {
                    for (slot, x) in sum.iter_mut().zip(unit(&views[view][image])) {
                        *slot += x;
                    }
                }
                unit(&sum)
            };
            let anchor = unit(all.z[i]);
            let similarity =
                |image: usize| anchor.iter().zip(mean(image)).map(|(x, y)| x * y).sum::<f64>() / t;
            let all: f64 = (0..n).map(|image| similarity(image).exp()).sum();
            losses.push(all.ln() - similarity(i % n));
            continue;
        }
        let of = |k: usize| all.similarity(i, k);
        let negatives: f64 = (0..count * n).filter(|k| k % n != i % n).map(|k| of(k).exp()).sum();
        let positives = (0..count * n).filter(|&p| p != i && p % n == i % n);
        let shares: Vec<f64> = positives.map(|p| of(p).exp() / (of(p).exp() + negatives)).collect();
        let mean =
            |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / shares.len() as f64;
        losses.push(match form {
            PolyViewForm::Geometric => mean(&mut shares.iter().map(|q| -q.ln())),
            _ => -mean(&mut shares.iter().copied()).ln(),
        });
    }
    losses.iter().sum::<f64>() / losses.len() as f64
}

fn value(place: &Place, views: &[Rows], loss: impl Fn(&[Tensor<2>]) -> Tensor<1>) -> f64 {
    let views: Vec<_> = views.iter().map(|rows| place.tensor(rows)).collect();
    loss(&views).into_scalar()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn value_and_gradient_equal_the_loops_over_all_pairs(views in views(), t in 0.1..2.0) {
        let rows: Vec<&Rows> = views.iter().collect();
        for form in FORMS {
            let loss = PolyView::new(t, form).unwrap();
            let expected = oracle(form, t, &views);
            let slopes = finite_differences(&rows, |views| oracle(form, t, views));
            for place in ["tiled", "tiled in f64"].map(Place::of) {
                let found = value(&place, &views, |views| loss.forward(views));
                prop_assert!((found - expected).abs() < 1e-5 * expected.max(1.0), "{form:?}: {found} {expected}");
                let gradient = gradient_of(&place, &rows, |views| loss.forward(views));
                for (found, slope) in gradient.iter().zip(&slopes) {
                    prop_assert!((found - slope).abs() < 2e-3 * slope.abs().max(1.0), "{form:?} {place:?}: {found} {slope}");
                }
            }
        }
    }

    #[test]
    fn two_views_give_nt_xent(views in views(), t in 0.05..2.0) {
        let nt_xent = NtXent::new(t).unwrap();
        let place = Place::of("tiled");
        let rows: Vec<&Rows> = views[..2].iter().collect();
        let expected = value(&place, &views[..2], |v| nt_xent.forward(v[0].clone(), v[1].clone()));
        let slopes = gradient_of(&place, &rows, |v| nt_xent.forward(v[0].clone(), v[1].clone()));
        for form in [PolyViewForm::Geometric, PolyViewForm::Arithmetic] {
            let loss = PolyView::new(t, form).unwrap();
            let found = value(&place, &views[..2], |v| loss.forward(v));
            prop_assert!((found - expected).abs() < 1e-5 * expected.max(1.0), "{form:?}: {found} {expected}");
            let gradient = gradient_of(&place, &rows, |v| loss.forward(v));
            for (found, slope) in gradient.iter().zip(&slopes) {
                prop_assert!((found - slope).abs() < 1e-4, "{form:?}: {found} {slope}");
            }
        }
    }
}

/// Numbers that no generator has to be seeded for.
fn waves(views: usize, n: usize, d: usize) -> Vec<Rows> {
    let wave = |view: usize, image: usize, k: usize| {
        let own = ((image * d + k) as f64 * 1.37).sin();
        own + 0.5 * ((view * n * d + image * d + k) as f64 * 2.11).sin()
    };
    let row = |view, image| (0..d).map(|k| wave(view, image, k)).collect();
    (0..views).map(|view| (0..n).map(|image| row(view, image)).collect()).collect()
}

#[test]
fn many_tiles_of_many_views_equal_the_loops_at_usual_and_at_low_temperatures() {
    let views = waves(5, 70, 24);
    for t in [0.5, 0.02] {
        for form in FORMS {
            let loss = PolyView::new(t, form).unwrap();
            let expected = oracle(form, t, &views);
            for place in ["tiled", "tiled in f64"].map(Place::of) {
                let found = value(&place, &views, |views| loss.forward(views));
                let apart = (found - expected).abs() / expected.max(1.0);
                assert!(apart < 2e-5, "{form:?}, t {t}, {place:?}: {found} {expected}");
            }
            // Both bodies have the same gradient.
            let rows: Vec<&Rows> = views.iter().collect();
            let gradient = |place| gradient_of(&Place::of(place), &rows, |v| loss.forward(v));
            let (f32s, f64s) = (gradient("tiled"), gradient("tiled in f64"));
            let largest = f64s.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            for (found, expected) in f32s.iter().zip(&f64s) {
                let apart = (found - expected).abs() / largest;
                assert!(apart < 1e-4, "{form:?}, t {t}: {found} {expected}");
            }
        }
    }
}

#[test]
fn extreme_temperatures_stay_finite() {
    let views = waves(3, 4, 6);
    let rows: Vec<&Rows> = views.iter().collect();
    for t in [1e-6, 1e-3, 1e6] {
        for form in FORMS {
            let loss = PolyView::new(t, form).unwrap();
            let found = value(&Place::of("tiled"), &views, |views| loss.forward(views));
            assert!(found.is_finite(), "{form:?}, t {t}: {found}");
            let gradient = gradient_of(&Place::of("tiled"), &rows, |v| loss.forward(v));
            assert!(gradient.iter().all(|x| x.is_finite()), "{form:?}, t {t}");
        }
    }
}

#[test]
fn without_negatives_or_positives_the_loss_and_its_gradient_are_zero() {
    for (views, n) in [(3, 1), (1, 4), (1, 1)] {
        let views = waves(views, n, 6);
        let rows: Vec<&Rows> = views.iter().collect();
        for form in FORMS {
            let loss = PolyView::new(0.5, form).unwrap();
            assert_eq!(value(&Place::of("tiled"), &views, |views| loss.forward(views)), 0.0);
            let gradient = gradient_of(&Place::of("tiled"), &rows, |v| loss.forward(v));
            assert!(gradient.iter().all(|&x| x == 0.0));
        }
    }
}

#[test]
fn a_view_of_zeros_gets_no_gradient() {
    let mut views = waves(4, 5, 6);
    views[2][3] = vec![0.0; 6];
    let rows: Vec<&Rows> = views.iter().collect();
    for form in FORMS {
        let loss = PolyView::new(0.5, form).unwrap();
        let gradient = gradient_of(&Place::of("tiled"), &rows, |v| loss.forward(v));
        let of_zeros = &gradient[(2 * 5 + 3) * 6..][..6];
        assert!(of_zeros.iter().all(|&x| x == 0.0), "{form:?}: {of_zeros:?}");
        assert!(gradient.iter().all(|x| x.is_finite()), "{form:?}");
    }
}

#[test]
#[should_panic(expected = "found [[2, 3], [2, 4]]")]
fn views_of_different_shapes_are_refused_with_all_of_them() {
    let place = Place::of("tiled");
    let views = [waves(1, 2, 3).remove(0), waves(1, 2, 4).remove(0)];
    let _ =
        value(&place, &views, |v| PolyView::new(0.5, PolyViewForm::default()).unwrap().forward(v));
}
