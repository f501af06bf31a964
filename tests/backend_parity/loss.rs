//! The losses: value and gradient of each form, on each backend, against f64 arithmetic.

use burn::tensor::{Device, Tensor, TensorData};
use simclr::loss::{
    DecoupledNtXent, NaiveNtXent, NtXent, SupCon, TiledNtXent, TwoViewLoss, VectorizedNtXent,
};

use crate::backends::{Case, compare};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "naive_value_and_gradient_match_f64",
        run: |d| nt_xent_matches(d, Form::Naive, 5, 7, 0.5),
    },
    Case {
        name: "vectorized_value_and_gradient_match_f64",
        run: |d| nt_xent_matches(d, Form::Vectorized, 16, 32, 0.5),
    },
    Case {
        name: "tiled_value_and_gradient_match_f64",
        run: |d| nt_xent_matches(d, Form::Tiled, 33, 20, 0.5),
    },
    Case {
        name: "front_door_value_and_gradient_match_f64",
        run: |d| nt_xent_matches(d, Form::FrontDoor, 70, 20, 0.2),
    },
    Case {
        name: "vectorized_at_low_temperature_matches_f64",
        run: |d| nt_xent_matches(d, Form::Vectorized, 8, 16, 0.02),
    },
    Case {
        name: "tiled_at_low_temperature_matches_f64",
        run: |d| nt_xent_matches(d, Form::Tiled, 8, 16, 0.02),
    },
    Case { name: "tiled_gradient_matches_naive", run: tiled_matches_naive },
    Case { name: "decoupled_value_and_gradient_match_flex", run: decoupled_matches_flex },
    Case { name: "sup_con_value_and_gradient_match_flex", run: sup_con_matches_flex },
];

/// f32 carries 7 digits; sums of some hundred terms as large as 1/t keep 5 of them on every backend.
const TOLERANCE: f64 = 1e-5;

#[derive(Clone, Copy)]
enum Form {
    Naive,
    Vectorized,
    Tiled,
    FrontDoor,
    Decoupled,
}

impl Form {
    fn loss(self, t: f64) -> Result<Box<dyn TwoViewLoss>, String> {
        let loss: Result<Box<dyn TwoViewLoss>, _> = match self {
            Self::Naive => NaiveNtXent::new(t).map(|loss| Box::new(loss) as _),
            Self::Vectorized => VectorizedNtXent::new(t).map(|loss| Box::new(loss) as _),
            Self::Tiled => TiledNtXent::new(t).map(|loss| Box::new(loss) as _),
            Self::FrontDoor => NtXent::new(t).map(|loss| Box::new(loss) as _),
            Self::Decoupled => DecoupledNtXent::new(t).map(|loss| Box::new(loss) as _),
        };
        loss.map_err(|error| error.to_string())
    }
}

/// Value, and gradients with respect to view a and then view b, of two views of `n` rows.
fn value_and_gradient(
    device: &Device,
    [n, d]: [usize; 2],
    loss: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<1>,
) -> Result<(f64, Vec<f64>), String> {
    let device = device.clone().autodiff();
    let views = [1, 2].map(|stream| {
        let values: Vec<f32> = numbers(n * d, stream).iter().map(|&x| x as f32).collect();
        Tensor::<2>::from_data(TensorData::new(values, [n, d]), &device).require_grad()
    });
    let value = loss(views[0].clone(), views[1].clone());
    let gradients = value.backward();
    let mut all = Vec::new();
    for view in views {
        let gradient = view.grad(&gradients).ok_or("expected a gradient, found none")?;
        all.extend(gradient.to_data_as::<f64>().iter::<f64>());
    }
    Ok((value.into_scalar::<f64>(), all))
}

type ValueAndGradient = (f64, Vec<f64>);

fn compare_both(
    found: &ValueAndGradient,
    expected: &ValueAndGradient,
    tolerance: f64,
) -> Result<(), String> {
    compare("value", &[found.0], &[expected.0], tolerance)?;
    // Gradients of a mean over rows are small: their own size is the measure.
    let largest = expected.1.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let scaled = |gradient: &[f64]| gradient.iter().map(|x| x / largest).collect::<Vec<_>>();
    compare("gradient", &scaled(&found.1), &scaled(&expected.1), 10.0 * tolerance)
}

fn nt_xent_matches(device: &Device, form: Form, n: usize, d: usize, t: f64) -> Result<(), String> {
    let loss = form.loss(t)?;
    let found = value_and_gradient(device, [n, d], |a, b| loss.forward(a, b))?;
    let rows = [numbers(n * d, 1), numbers(n * d, 2)].concat();
    compare_both(&found, &nt_xent(t, &rows, d), TOLERANCE / t.min(1.0))
}

fn tiled_matches_naive(device: &Device) -> Result<(), String> {
    let (tiled, naive) = (Form::Tiled.loss(0.3)?, Form::Naive.loss(0.3)?);
    let tiled = value_and_gradient(device, [6, 9], |a, b| tiled.forward(a, b))?;
    let naive = value_and_gradient(device, [6, 9], |a, b| naive.forward(a, b))?;
    compare_both(&tiled, &naive, TOLERANCE)
}

fn decoupled_matches_flex(device: &Device) -> Result<(), String> {
    let loss = Form::Decoupled.loss(0.3)?;
    let on = |device: &Device| value_and_gradient(device, [12, 9], |a, b| loss.forward(a, b));
    compare_both(&on(device)?, &on(&Device::flex())?, TOLERANCE)
}

fn sup_con_matches_flex(device: &Device) -> Result<(), String> {
    let loss = SupCon::new(0.3).map_err(|error| error.to_string())?;
    let labels: Vec<usize> = (0..12).map(|i| i * i % 5).collect();
    let on = |device: &Device| {
        value_and_gradient(device, [12, 9], |a, b| loss.forward(&[a, b], &labels))
    };
    compare_both(&on(device)?, &on(&Device::flex())?, TOLERANCE)
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
