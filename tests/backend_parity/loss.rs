//! The losses: value and gradient of each form, on each backend, against f64 arithmetic.

use burn::tensor::{Device, Tensor, TensorData};
use simclr::loss::{NaiveNtXent, NtXent, VectorizedNtXent};

use crate::backends::{Case, compare};

pub(crate) const CASES: &[Case] = &[
    Case { name: "naive_value_and_gradient_match_f64", run: |d| check(d, 5, 7, 0.5, naive) },
    Case {
        name: "vectorized_value_and_gradient_match_f64",
        run: |d| check(d, 16, 32, 0.5, vectorized),
    },
    Case {
        name: "vectorized_at_low_temperature_matches_f64",
        run: |d| check(d, 8, 16, 0.05, vectorized),
    },
    Case {
        name: "front_door_value_and_gradient_match_f64",
        run: |d| check(d, 33, 20, 0.2, front_door),
    },
];

/// f32 carries 7 digits; sums of some hundred terms as large as 1/t keep 5 of them on every backend.
const TOLERANCE: f64 = 1e-5;

type Loss = fn(f64, Tensor<2>, Tensor<2>) -> Tensor<1>;

fn naive(t: f64, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
    NaiveNtXent::new(t).expect("valid temperature").forward(z_a, z_b)
}

fn vectorized(t: f64, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
    VectorizedNtXent::new(t).expect("valid temperature").forward(z_a, z_b)
}

fn front_door(t: f64, z_a: Tensor<2>, z_b: Tensor<2>) -> Tensor<1> {
    NtXent::new(t).expect("valid temperature").forward(z_a, z_b)
}

fn check(device: &Device, n: usize, d: usize, t: f64, loss: Loss) -> Result<(), String> {
    let device = device.clone().autodiff();
    let (a, b) = (numbers(n * d, 1), numbers(n * d, 2));
    let tensor = |values: &[f64]| {
        let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
        Tensor::<2>::from_data(TensorData::new(values, [n, d]), &device).require_grad()
    };
    let (z_a, z_b) = (tensor(&a), tensor(&b));
    let value = loss(t, z_a.clone(), z_b.clone());
    let gradients = value.backward();

    let (expected, expected_gradient) = nt_xent(t, &[a, b].concat(), d);
    compare("value", &[value.into_scalar::<f64>()], &[expected], TOLERANCE / t.min(1.0))?;
    for (what, z, expected) in [
        ("gradient of view a", z_a, &expected_gradient[..n * d]),
        ("gradient of view b", z_b, &expected_gradient[n * d..]),
    ] {
        let gradient = z.grad(&gradients).ok_or("no gradient")?;
        let found: Vec<f64> = gradient.to_data_as::<f64>().iter::<f64>().collect();
        compare(what, &found, expected, TOLERANCE / t.min(1.0))?;
    }
    Ok(())
}

/// Numbers in -1..1 that look random, the same everywhere (and exact in f32).
fn numbers(count: usize, stream: u64) -> Vec<f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(stream);
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 44) as f64 / f64::from(1 << 19) - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// NT-Xent of 2n rows of length d and its gradient with respect to them, by the chain rule in f64.
fn nt_xent(t: f64, z: &[f64], d: usize) -> (f64, Vec<f64>) {
    let rows: Vec<&[f64]> = z.chunks(d).collect();
    let views = rows.len();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let norms: Vec<f64> = rows.iter().map(|row| dot(row, row).sqrt()).collect();
    let unit: Vec<Vec<f64>> =
        rows.iter().zip(&norms).map(|(row, norm)| row.iter().map(|x| x / norm).collect()).collect();

    let mut loss = 0.0;
    let mut by_unit = vec![vec![0.0; d]; views];
    for i in 0..views {
        let partner = (i + views / 2) % views;
        let similarity: Vec<f64> = (0..views).map(|k| dot(&unit[i], &unit[k]) / t).collect();
        let denominator: f64 = (0..views).filter(|&k| k != i).map(|k| similarity[k].exp()).sum();
        loss += (denominator.ln() - similarity[partner]) / views as f64;
        for k in (0..views).filter(|&k| k != i) {
            let target = if k == partner { 1.0 } else { 0.0 };
            let weight = (similarity[k].exp() / denominator - target) / (t * views as f64);
            for c in 0..d {
                by_unit[i][c] += weight * unit[k][c];
                by_unit[k][c] += weight * unit[i][c];
            }
        }
    }
    // Through z / |z|: the part along z itself has no effect.
    let gradient = (0..views).flat_map(|i| {
        let along = dot(&by_unit[i], &unit[i]);
        (0..d).map(move |c| (i, c, along)).collect::<Vec<_>>()
    });
    let gradient = gradient.map(|(i, c, along)| (by_unit[i][c] - along * unit[i][c]) / norms[i]);
    (loss, gradient.collect())
}
