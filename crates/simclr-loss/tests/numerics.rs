//! The edges: low temperatures, half precision, rows of zeros, one image, many images, long rows.

#![expect(clippy::float_cmp, reason = "what must be zero or the same is exactly that")]

mod support;

use burn::tensor::{DType, Device, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use simclr_loss::{
    DecoupledNtXent, NaiveNtXent, NtXent, SupCon, Temperature, TiledNtXent, VectorizedNtXent,
};
use support::{FORMS, Place, Rows, finite_differences, gradient, loss, oracle, tensor, value};

fn random(n: usize, d: usize, seed: u64) -> (Rows, Rows) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut view = || -> Rows {
        (0..n).map(|_| (0..d).map(|_| random.random_range(-1.0..1.0)).collect()).collect()
    };
    (view(), view())
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
fn low_temperatures_keep_value_and_gradient() {
    let (z_a, z_b) = random(9, 6, 0);
    // On both sides of 0.025, the temperature at which the tiled form changes its shift.
    for t in [0.01, 0.02, 0.024_9, 0.025, 0.025_1, 0.05] {
        let expected = oracle(t, &z_a, &z_b);
        let slopes = finite_differences(&[&z_a, &z_b], |z| oracle(t, &z[0], &z[1]));
        let largest = slopes.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        for form in FORMS {
            let found = value(form, t, &z_a, &z_b);
            assert!((found - expected).abs() < 1e-6 / t, "{form} at {t}: {found}, not {expected}");
            for (found, slope) in gradient(form, t, &z_a, &z_b).iter().zip(&slopes) {
                assert!(
                    (found - slope).abs() < 1e-4 * largest,
                    "{form} at {t}: {found}, not {slope}"
                );
            }
        }
    }
}

#[test]
fn extreme_temperatures_stay_finite() {
    let (z_a, z_b) = random(5, 4, 1);
    for t in [1e-6, 1e-3, 1e3, 1e30] {
        for form in FORMS {
            assert!(value(form, t, &z_a, &z_b).is_finite(), "{form} at {t}");
            let gradient = gradient(form, t, &z_a, &z_b);
            assert!(gradient.iter().all(|g| g.is_finite()), "{form} at {t}: {gradient:?}");
        }
    }
}

#[test]
fn a_projection_of_zeros_is_alike_to_nothing_and_gets_no_gradient() {
    let (z_a, z_b) = (vec![vec![0.0, 0.0], vec![1.0, 2.0]], vec![vec![1.0, 1.0], vec![2.0, 1.0]]);
    let reference = value("naive", 0.5, &z_a, &z_b);
    for form in FORMS {
        assert!((value(form, 0.5, &z_a, &z_b) - reference).abs() < 1e-6, "{form}");
        let gradient = gradient(form, 0.5, &z_a, &z_b);
        assert_eq!(gradient[..2], [0.0, 0.0], "{form}");
        assert!(gradient.iter().all(|g| g.is_finite()), "{form}: {gradient:?}");
    }
}

#[test]
fn half_precision_projections_are_computed_in_f32() {
    let (z_a, z_b) = random(6, 200, 2);
    for form in FORMS {
        for dtype in [DType::F16, DType::BF16] {
            if !Place::of(form).device.supports_dtype(dtype) {
                continue;
            }
            // The projections are rounded first, so that both losses start from the same numbers.
            let half =
                |rows: &Rows| tensor(rows, &Place::of(form).device).mul_scalar(100.0).cast(dtype);
            let exact = |rows: &Rows| half(rows).cast(DType::F32);
            let found = loss(form, 0.1).forward(half(&z_a), half(&z_b));
            assert_eq!(found.dtype(), DType::F32, "{form}");
            let expected = loss(form, 0.1).forward(exact(&z_a), exact(&z_b));
            assert_eq!(found.into_scalar::<f64>(), expected.into_scalar::<f64>(), "{form}");
        }
    }
}

#[test]
fn the_gradient_of_half_precision_projections_has_their_precision() {
    let (z_a, z_b) = random(4, 8, 3);
    let device = Device::flex().autodiff();
    for form in ["vectorized", "tiled"] {
        for dtype in [DType::F16, DType::BF16] {
            let half = |rows: &Rows| tensor(rows, &device).cast(dtype).detach().require_grad();
            let (a, b) = (half(&z_a), half(&z_b));
            let gradients = loss(form, 0.5).forward(a.clone(), b).backward();
            let gradient = a.grad(&gradients).expect("a is tracked");
            assert_eq!(gradient.dtype(), dtype, "{form}");
            let expected = support::gradient(form, 0.5, &z_a, &z_b);
            for (found, expected) in gradient.to_data_as::<f64>().iter::<f64>().zip(expected) {
                assert!((found - expected).abs() < 1e-2, "{form}, {dtype:?}: {found} {expected}");
            }
        }
    }
}

#[test]
fn f64_projections_are_computed_in_f64() {
    let (z_a, z_b) = random(7, 5, 4);
    let expected = oracle(0.1, &z_a, &z_b);
    for form in FORMS {
        let f64_tensor = |rows: &Rows| {
            let data = TensorData::new(rows.concat(), [rows.len(), rows[0].len()]);
            Tensor::<2>::from_data(data, (&Place::of(form).device, DType::F64))
        };
        let found = loss(form, 0.1).forward(f64_tensor(&z_a), f64_tensor(&z_b));
        assert_eq!(found.dtype(), DType::F64, "{form}");
        let found = found.into_scalar::<f64>();
        assert!((found - expected).abs() < 1e-12, "{form}: {found}, not {expected}");
    }
}

#[test]
fn one_image_has_no_negatives() {
    let (z_a, z_b) = random(1, 6, 5);
    for form in FORMS {
        assert!(value(form, 0.5, &z_a, &z_b).abs() < 1e-6, "{form}");
        let gradient = gradient(form, 0.5, &z_a, &z_b);
        assert!(gradient.iter().all(|g| g.abs() < 1e-6), "{form}: {gradient:?}");
    }
    assert_eq!(value("decoupled", 0.5, &z_a, &z_b), 0.0);
    assert_eq!(gradient("decoupled", 0.5, &z_a, &z_b), [0.0; 12]);
}

#[test]
fn any_size_of_embedding_works() {
    for (d, seed) in [(1, 6), (2, 7), (31, 8), (33, 9), (257, 10), (8192, 11)] {
        let (z_a, z_b) = random(5, d, seed);
        let expected = oracle(0.2, &z_a, &z_b);
        let reference = gradient("vectorized", 0.2, &z_a, &z_b);
        for form in FORMS {
            let found = value(form, 0.2, &z_a, &z_b);
            assert!((found - expected).abs() < 1e-5, "{form}, d {d}: {found}, not {expected}");
            for (found, reference) in gradient(form, 0.2, &z_a, &z_b).iter().zip(&reference) {
                assert!((found - reference).abs() < 1e-5, "{form}, d {d}: {found}, {reference}");
            }
        }
    }
}

#[test]
fn many_images_make_many_tiles_and_the_same_result() {
    // Not a multiple of any block, and more than one block of each implementation.
    let (z_a, z_b) = random(777, 20, 12);
    let expected = oracle(0.3, &z_a, &z_b);
    let reference = gradient("vectorized", 0.3, &z_a, &z_b);
    let largest = reference.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    for form in ["vectorized", "tiled", "tiled in f64", "front door"] {
        let found = value(form, 0.3, &z_a, &z_b);
        assert!((found / expected - 1.0).abs() < 1e-6, "{form}: {found}, not {expected}");
        for (found, reference) in gradient(form, 0.3, &z_a, &z_b).iter().zip(&reference) {
            assert!((found - reference).abs() < 1e-5 * largest, "{form}: {found}, {reference}");
        }
    }
}

#[test]
fn the_front_door_does_not_jump_where_it_changes_its_form() {
    for n in [63, 64, 65, 66] {
        let (z_a, z_b) = random(n, 8, 13);
        let found = value("front door", 0.5, &z_a, &z_b);
        assert!((found / oracle(0.5, &z_a, &z_b) - 1.0).abs() < 1e-6, "n {n}: {found}");
    }
}

#[test]
fn every_loss_refuses_a_bad_temperature() {
    for bad in [0.0, -0.5, f64::NAN, f64::INFINITY] {
        assert!(NtXent::new(bad).is_err());
        assert!(NaiveNtXent::new(bad).is_err());
        assert!(VectorizedNtXent::new(bad).is_err());
        assert!(TiledNtXent::new(bad).is_err());
        assert!(SupCon::new(bad).is_err());
        assert!(DecoupledNtXent::new(bad).is_err());
    }
}

#[test]
fn every_loss_takes_a_temperature_that_is_checked_already() {
    let temperature = Temperature::new(0.5).unwrap();
    assert_eq!(NtXent::new(temperature), NtXent::new(0.5));
    assert_eq!(NaiveNtXent::new(temperature), NaiveNtXent::new(0.5));
    assert_eq!(VectorizedNtXent::new(temperature), VectorizedNtXent::new(0.5));
    assert_eq!(TiledNtXent::new(temperature), TiledNtXent::new(0.5));
    assert_eq!(SupCon::new(temperature), SupCon::new(0.5));
    assert_eq!(DecoupledNtXent::new(temperature), DecoupledNtXent::new(0.5));
}
