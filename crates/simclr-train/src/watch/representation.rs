//! The shape of a representation: spread out or collapsed.

use burn::tensor::Tensor;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

/// The largest number of examples to measure: enough to see a collapse, and fast enough for every epoch.
pub(crate) const MOST_ROWS: usize = 512;

/// The shape of the features h and projections z of one batch, of which it measures the first two views of at most 512 examples.
///
/// The trainer measures the last batch of each epoch, in training mode.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Representation {
    /// Mean squared distance of the first two views of an example on the unit sphere, in 0..=4: lower is more alike (Wang and Isola 2020,
    /// `align_loss` with alpha 2).
    pub alignment: f64,
    /// Logarithm of the mean Gaussian potential exp(-2 distance²) of the projections of the first view, in -8..=0: lower is
    /// more evenly spread (Wang and Isola 2020, `uniform_loss` with t 2).
    pub uniformity: f64,
    /// Effective rank of the features: the exponential of the entropy of the singular values, in
    /// 1..=min(n, feature size) (Garrido et al. 2023, `RankMe`).
    pub effective_rank_h: f64,
    /// Effective rank of the projections, in 1..=min(n, d).
    pub effective_rank_z: f64,
    /// Mean standard deviation of the coordinates of the unit projections, times √d: 1 for an evenly filled sphere, 0
    /// for a collapse (Chen and He 2021, figure 2).
    pub standard_deviation: f64,
}

impl Representation {
    /// Reads the batch back from the device; `None` if a number in it is NaN or infinite.
    ///
    /// # Shapes
    ///
    /// - `features`: `[V n, feature_size]` of n `examples`, one view after the other
    /// - `projections`: `[V n, d]`, in the same order
    pub(crate) fn new(
        features: &Tensor<2>,
        projections: &Tensor<2>,
        examples: usize,
    ) -> Option<Self> {
        let rows = |views, view| rows(views, view, examples);
        let (a, b) = (rows(projections, 0)?, rows(projections, 1)?);
        let (unit_a, unit_b) = (unit_rows(a.clone()), unit_rows(b));
        Some(Self {
            alignment: (&unit_a - unit_b).norm_squared() / unit_a.nrows() as f64,
            uniformity: uniformity(&unit_a),
            effective_rank_h: effective_rank(&rows(features, 0)?),
            effective_rank_z: effective_rank(&a),
            standard_deviation: standard_deviation(&unit_a),
        })
    }
}

/// The first [`MOST_ROWS`] rows of one view, in f64; `None` if a number is NaN or infinite.
fn rows(views: &Tensor<2>, view: usize, n: usize) -> Option<DMatrix<f64>> {
    let [_, d] = views.dims();
    let count = n.min(MOST_ROWS);
    let block = views.clone().narrow(0, view * n, count).to_data_as::<f64>();
    let values: Vec<f64> = block.iter::<f64>().collect();
    values.iter().all(|x| x.is_finite()).then(|| DMatrix::from_row_iterator(count, d, values))
}

/// Scales rows to length 1; a row of zeros stays as it is.
pub(super) fn unit_rows(mut rows: DMatrix<f64>) -> DMatrix<f64> {
    for mut row in rows.row_iter_mut() {
        let norm = row.norm();
        if norm > 0.0 {
            row /= norm;
        }
    }
    rows
}

pub(super) fn uniformity(unit: &DMatrix<f64>) -> f64 {
    let n = unit.nrows();
    if n < 2 {
        return 0.0;
    }
    let cosines = unit * unit.transpose();
    let potential = |i: usize, k: usize| {
        let squared_distance = cosines[(i, i)] + cosines[(k, k)] - 2.0 * cosines[(i, k)];
        (-2.0 * squared_distance).exp()
    };
    let pairs = (0..n).flat_map(|i| (0..i).map(move |k| (i, k)));
    let sum: f64 = pairs.map(|(i, k)| potential(i, k)).sum();
    (sum / (n * (n - 1) / 2) as f64).ln()
}

pub(super) fn effective_rank(rows: &DMatrix<f64>) -> f64 {
    // The singular values are the roots of the smaller Gram matrix's eigenvalues.
    let gram =
        if rows.nrows() < rows.ncols() { rows * rows.transpose() } else { rows.transpose() * rows };
    let singular = gram.symmetric_eigenvalues().map(|eigenvalue| eigenvalue.max(0.0).sqrt());
    let sum = singular.sum();
    if sum == 0.0 {
        return 1.0;
    }
    let share_entropy =
        |value: f64| if value > 0.0 { -(value / sum) * (value / sum).ln() } else { 0.0 };
    singular.iter().map(|&value| share_entropy(value)).sum::<f64>().exp()
}

pub(super) fn standard_deviation(unit: &DMatrix<f64>) -> f64 {
    let mean: f64 = unit.column_iter().map(|column| column.variance().sqrt()).sum::<f64>()
        / unit.ncols() as f64;
    mean * (unit.ncols() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution, TensorData};

    fn tensor(rows: &[[f64; 3]]) -> Tensor<2> {
        let values: Vec<f64> = rows.iter().flatten().copied().collect();
        Tensor::from_data(TensorData::new(values, [rows.len(), 3]), &Device::flex())
    }

    #[test]
    fn a_collapsed_batch_has_rank_1_and_no_spread() {
        let same = tensor(&[[1.0, 2.0, 2.0]; 8]);
        let found = Representation::new(&same, &same, 4).unwrap();
        assert!((found.effective_rank_z - 1.0).abs() < 1e-6, "{found:?}");
        assert!(found.alignment.abs() < 1e-12 && found.uniformity.abs() < 1e-6);
        assert!(found.standard_deviation.abs() < 1e-6);
    }

    #[test]
    fn an_orthogonal_batch_has_full_rank() {
        let axes = [[5.0, 0.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 5.0]];
        let both = tensor(&[axes, axes].concat());
        let found = Representation::new(&both, &both, 3).unwrap();
        assert!((found.effective_rank_h - 3.0).abs() < 1e-9, "{found:?}");
        // Every pair is at squared distance 2: ln exp(-4).
        assert!((found.uniformity + 4.0).abs() < 1e-9);
        assert!(found.alignment.abs() < 1e-12);
    }

    #[test]
    fn opposite_partners_are_at_squared_distance_4() {
        let found = tensor(&[[0.0, 1.0, 0.0], [0.0, -3.0, 0.0]]);
        let found = Representation::new(&found, &found, 1).unwrap();
        assert!((found.alignment - 4.0).abs() < 1e-12);
    }

    #[test]
    fn a_full_sphere_has_standard_deviation_1() {
        let z = Tensor::<2>::random([1000, 64], Distribution::Normal(0.0, 1.0), &Device::flex());
        let found = Representation::new(&z, &z, 500).unwrap();
        assert!((found.standard_deviation - 1.0).abs() < 0.02, "{found:?}");
        assert!(found.effective_rank_z > 60.0, "{found:?}");
    }

    #[test]
    fn a_batch_with_a_nan_has_no_shape() {
        let broken = tensor(&[[0.0, f64::NAN, 0.0], [0.0, 1.0, 0.0]]);
        assert_eq!(Representation::new(&broken, &broken, 1), None);
    }
}
