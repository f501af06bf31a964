//! LARS and the search for neighbours on each backend, against f64 arithmetic.

use std::iter::zip;

use burn::optim::Optimizer;
use burn::tensor::{Device, Tensor, TensorData};
use simclr::embed::{Features, Neighbour, nearest_neighbours};
use simclr::train::Lars;

use crate::backends::{Case, compare, of_products};
use crate::loss::numbers;

pub(crate) const CASES: &[Case] = &[
    Case { name: "steps_of_lars_match_f64", run: lars },
    Case { name: "nearest_neighbours_match_f64", run: neighbours },
    Case { name: "of_equally_near_rows_the_first_are_found", run: equally_near },
];

/// Three steps on tensors of several ranks, on one that is zero, and without adaptation.
fn lars(device: &Device) -> Result<(), String> {
    let adapted = Lars { momentum: 0.9, weight_decay: 1e-2, trust_coefficient: 0.05, adapt: true };
    for lars in [adapted, adapted.plain()] {
        steps(device, lars, [33, 20], 1.0)?;
        steps(device, lars, [7], 1.0)?;
        steps(device, lars, [4, 3, 3, 3], 1.0)?;
        steps(device, lars, [5], 0.0)?;
    }
    Ok(())
}

fn steps<const D: usize>(
    device: &Device,
    lars: Lars,
    shape: [usize; D],
    scale: f64,
) -> Result<(), String> {
    let count = shape.iter().product();
    let mut expected: Vec<f64> = numbers(count, 1).iter().map(|x| x * scale).collect();
    let tensor = |values: &[f64]| {
        let values: Vec<f32> = values.iter().map(|&x| x as f32).collect();
        Tensor::<D>::from_data(TensorData::new(values, shape), device)
    };
    let (mut found, mut state) = (tensor(&expected), None);
    let mut velocity = vec![0.0; count];
    for step in 0..3 {
        let rate = 1.0 / f64::from(step + 1);
        let given = numbers(count, 2 + step as u64);
        (found, state) = lars.step(rate, found, tensor(&given), state);

        let gradient: Vec<f64> =
            zip(&given, &expected).map(|(g, w)| g + lars.weight_decay * w).collect();
        let norm = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>().sqrt();
        let (w, g) = (norm(&expected), norm(&gradient));
        let adapts = lars.adapt && w > 0.0 && g > 0.0;
        let trust = if adapts { lars.trust_coefficient * w / g } else { 1.0 };
        for ((v, w), g) in velocity.iter_mut().zip(&mut expected).zip(&gradient) {
            *v = lars.momentum * *v + trust * rate * g;
            *w -= *v;
        }
    }
    let found: Vec<f64> = found.to_data_as::<f64>().iter().collect();
    compare(&format!("weights {shape:?}, {lars:?}"), &found, &expected, 1e-5)
}

fn neighbours(device: &Device) -> Result<(), String> {
    for (rows, d, seed) in [(3, 2, 1), (40, 17, 2), (1100, 9, 3)] {
        let values = numbers(rows * d, seed);
        let set = Features::new(values.iter().map(|&x| x as f32).collect(), d);
        let queries =
            Features::new(numbers(5 * d, seed + 10).iter().map(|&x| x as f32).collect(), d);
        let found = nearest_neighbours(&set, &queries, 3, device).map_err(|e| e.to_string())?;
        let dot = |a: &[f32], b: &[f32]| {
            zip(a, b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>()
        };
        for (query, found) in queries.rows().zip(found) {
            let cosine = |row: &[f32]| dot(row, query) / (dot(row, row) * dot(query, query)).sqrt();
            let mut cosines: Vec<f64> = set.rows().map(cosine).collect();
            let of_found: Vec<f64> = found.iter().map(|n| cosines[n.row as usize]).collect();
            cosines.sort_by(|a, b| b.total_cmp(a));
            compare(
                &format!("cosines among {rows}"),
                &of_found,
                &cosines[..3],
                of_products(device, 1e-5),
            )?;
        }
    }
    Ok(())
}

/// Twenty different rows, each 250 times and in both tiles of the search: the first of equals count, for few neighbours and
/// for many.
fn equally_near(device: &Device) -> Result<(), String> {
    let row = |i: usize| [1.0, ((i % 1000) as f32 / 1000.0 * 20.0).floor() - 10.0].map(f32::exp2);
    let set = Features::new((0..5000).flat_map(row).collect(), 2);
    let queries = Features::new(vec![1.0, 0.0, 0.0, 1.0], 2);
    for k in [3, 20, 200] {
        let found = nearest_neighbours(&set, &queries, k, device).map_err(|e| e.to_string())?;
        let expected = nearest_neighbours(&set, &queries, k, &Device::flex());
        let expected = expected.map_err(|e| e.to_string())?;
        for (found, expected) in zip(&found, &expected) {
            let rows =
                |nearest: &[Neighbour]| -> Vec<u32> { nearest.iter().map(|n| n.row).collect() };
            if rows(found) != rows(expected) {
                return Err(format!("k = {k}: {:?}, not {:?}", rows(found), rows(expected)));
            }
        }
    }
    Ok(())
}
