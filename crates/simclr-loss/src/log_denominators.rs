//! The part of a contrastive loss that takes the time: the logarithms of the denominators.
//!
//! Every loss here is a cheap term in the positive pairs plus
//!
//! ```text
//! sum_i  w_i ln D_i,    D_i = sum over the k that stay of exp(z_i . z_k / t)
//! ```
//!
//! whose gradient is known in closed form,
//!
//! ```text
//! d/dz_i = 1/t  sum_k  (w_i / D_i + w_k / D_k) exp(z_i . z_k / t) z_k
//! ```
//!
//! Both are computed here, tile by tile, so that the matrix of similarities never exists.

mod blocks;
#[cfg(feature = "flex")]
mod cpu;
mod denominators;
mod leaving;
mod problem;
mod tensor_blocks;

use burn::tensor::Tensor;

pub(crate) use self::blocks::blocks;
pub(crate) use self::denominators::Denominators;
pub(crate) use self::problem::Problem;
use crate::ranks::{Sought, ranks};

/// What a sweep over all similarities finds, without a graph.
struct Answer {
    /// The weighted sum of log-denominators, `[1]`.
    value: Tensor<1>,
    /// Its gradient, `[m, d]`, if wanted.
    gradient: Option<Tensor<2>>,
    /// How many views are nearer to each than what it seeks, `[m]`, if asked for.
    ranks: Option<Tensor<1>>,
}

impl Problem {
    /// The sum of `weight * ln(denominator)` over the rows of `z`, differentiable.
    ///
    /// The gradient is computed along with the value, if `z` is tracked by autodiff, and attached to
    /// the graph. Nothing else is kept: `[m, d]` numbers wait for the backward pass.
    ///
    /// # Shapes
    ///
    /// - `z`: `[m, d]`, unit rows
    /// - output: `[1]`
    pub(crate) fn weighted_sum(&self, z: Tensor<2>) -> Tensor<1> {
        let answer = self.solve(&z.clone().inner(), z.is_tracked(), None);
        attach(z, answer.value, answer.gradient)
    }

    /// [`weighted_sum`](Self::weighted_sum), and how many views are nearer to each than what it seeks, `[m]`, from the same
    /// similarities where the backend's sweep has them all.
    pub(crate) fn weighted_sum_and_ranks(
        &self,
        z: Tensor<2>,
        sought: &Sought,
    ) -> (Tensor<1>, Tensor<1>) {
        let inner = z.clone().inner();
        let answer = self.solve(&inner, z.is_tracked(), Some(sought));
        let ranks = answer.ranks.unwrap_or_else(|| ranks(&inner, sought));
        (attach(z, answer.value, answer.gradient), ranks)
    }

    fn solve(&self, z: &Tensor<2>, with_gradient: bool, sought: Option<&Sought>) -> Answer {
        #[cfg(feature = "flex")]
        if runs_on_flex_in_f32(z) {
            return self.solve_on_cpu(z, with_gradient);
        }
        tensor_blocks::solve(self, z, with_gradient, sought)
    }

    /// Reads the values, solves on slices, and hands tensors back: a few copies of `[m, d]`, against
    /// `m² d` multiply-adds. Not a backend extension, because one must name all its backends when the
    /// crate is compiled, and panics on any other.
    #[cfg(feature = "flex")]
    fn solve_on_cpu(&self, z: &Tensor<2>, with_gradient: bool) -> Answer {
        use burn::tensor::TensorData;

        let (device, [rows, d]) = (z.device(), z.dims());
        let data = z.to_data();
        let values = data.as_slice::<f32>().expect("the rows are in f32");
        let cpu::Solution { value, gradient } = cpu::solve(self, values, d, with_gradient);
        let value = Tensor::from_data([value as f32], &device);
        let gradient = gradient.map(|g| Tensor::from_data(TensorData::new(g, [rows, d]), &device));
        // Its sweeps see half of the similarities, each for its row and for its column.
        Answer { value, gradient, ranks: None }
    }
}

impl Denominators {
    /// The logarithm of each row's denominator, and the gradient of a function of them, without a graph.
    ///
    /// If there are `slopes`, they are asked for the derivatives of the function by the logarithms, `[m]` -> `[m]`.
    ///
    /// # Shapes
    ///
    /// - `z`: `[m, d]`, unit rows, without autodiff
    /// - output: `[m]`, and `[m, d]` if there are slopes
    pub(crate) fn logarithms(
        &self,
        z: &Tensor<2>,
        slopes: Option<impl FnOnce(Tensor<1>) -> Tensor<1>>,
    ) -> (Tensor<1>, Option<Tensor<2>>) {
        #[cfg(feature = "flex")]
        if runs_on_flex_in_f32(z) {
            return self.logarithms_on_cpu(z, slopes);
        }
        tensor_blocks::logarithms(self, z, slopes)
    }

    #[cfg(feature = "flex")]
    fn logarithms_on_cpu(
        &self,
        z: &Tensor<2>,
        slopes: Option<impl FnOnce(Tensor<1>) -> Tensor<1>>,
    ) -> (Tensor<1>, Option<Tensor<2>>) {
        use burn::tensor::TensorData;

        let (device, [rows, d]) = (z.device(), z.dims());
        let data = z.to_data();
        let values = data.as_slice::<f32>().expect("the rows are in f32");
        let vector = |values: &[f64]| {
            let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
            Tensor::<1>::from_data(TensorData::new(values, [rows]), &device)
        };
        let slopes = slopes.map(|slopes| {
            |logarithms: &[f64]| slopes(vector(logarithms)).to_data_as::<f64>().iter().collect()
        });
        let (logarithms, gradient) = cpu::logarithms(self, values, d, slopes);
        let gradient = gradient.map(|g| Tensor::from_data(TensorData::new(g, [rows, d]), &device));
        (vector(&logarithms), gradient)
    }
}

/// The value, with `gradient` as its derivative by `z`.
pub(crate) fn attach(z: Tensor<2>, value: Tensor<1>, gradient: Option<Tensor<2>>) -> Tensor<1> {
    let Some(gradient) = gradient else {
        return value;
    };
    // Linear in z, so that its derivative is `gradient` whatever comes downstream; and exactly zero, so
    // that the value stays what it is.
    let linear = (z * gradient).sum();
    linear.clone() - linear.detach() + value
}

#[cfg(feature = "flex")]
fn runs_on_flex_in_f32(z: &Tensor<2>) -> bool {
    use burn::tensor::{DType, Device};

    z.device() == Device::flex() && z.dtype() == DType::F32
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::exclusions::{Exclusions, Partners};
    use crate::temperature::Temperature;

    /// Value and gradient in f64, straight from the formulas above.
    fn oracle(problem: &Problem, z: &[Vec<f64>]) -> (f64, Vec<f64>) {
        let (m, d) = (z.len(), z[0].len());
        let left_out: std::collections::HashSet<_> =
            problem.denominators.exclusions.within(0..m, 0..m).collect();
        let dot = |i: usize, k: usize| z[i].iter().zip(&z[k]).map(|(x, y)| x * y).sum::<f64>();
        let term = |i: usize, k: usize| {
            if left_out.contains(&(i, k)) {
                0.0
            } else {
                (dot(i, k) * problem.denominators.scale).exp()
            }
        };
        let terms: Vec<Vec<f64>> = (0..m).map(|i| (0..m).map(|k| term(i, k)).collect()).collect();
        let sums: Vec<f64> = terms.iter().map(|row| row.iter().sum()).collect();
        let counted = |i: usize| problem.weights[i] != 0.0;
        let share = |i: usize| if counted(i) { problem.weights[i] / sums[i] } else { 0.0 };
        let value = (0..m).filter(|&i| counted(i)).map(|i| problem.weights[i] * sums[i].ln()).sum();
        let mut gradient = vec![0.0; m * d];
        for i in 0..m {
            for k in 0..m {
                let weight = problem.denominators.scale * (share(i) + share(k)) * terms[i][k];
                for (slot, x) in gradient[i * d..][..d].iter_mut().zip(&z[k]) {
                    *slot += weight * x;
                }
            }
        }
        (value, gradient)
    }

    fn unit_rows(m: usize, d: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut row = || -> Vec<f64> {
            let row: Vec<f64> = (0..d).map(|_| random.random_range(-1.0..1.0)).collect();
            let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
            // Rounded to f32, so that all bodies see the same numbers.
            row.iter().map(|x| f64::from((x / norm) as f32)).collect()
        };
        (0..m).map(|_| row()).collect()
    }

    fn assert_close(body: &str, found: &[f64], expected: &[f64], tolerance: f64) {
        let scale = expected.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        for (index, (f, e)) in found.iter().zip(expected).enumerate() {
            assert!((f - e).abs() <= tolerance * scale, "{body}, element {index}: {f}, not {e}");
        }
    }

    #[test]
    fn every_body_equals_the_formulas_whatever_leaves_and_however_many_blocks() {
        // 0.5 shifts by a constant, 0.01 by each row's maximum. f32 keeps 7 digits of 1/t.
        for (t, tolerance) in [(0.5, 2e-6), (0.01, 1e-4)] {
            for (n, d, partners) in [
                (1, 1, Partners::Stay),
                (7, 3, Partners::Leave),
                (150, 37, Partners::Stay),
                (130, 300, Partners::Leave),
                (130, 37, Partners::Stay),
            ] {
                // From 52 images on some are there twice.
                let ids: Vec<usize> = (0..n).map(|i| i * i % 101).collect();
                let exclusions = Exclusions::of_images(&ids, 2, partners);
                // Uneven weights, zero among them.
                let weights = (0..2 * n).map(|i| (i % 4) as f64 / 1e3).collect();
                let problem =
                    Problem::new(Temperature::new(t).expect("valid"), weights, exclusions);
                let z = unit_rows(2 * n, d, n as u64);
                let (value, gradient) = oracle(&problem, &z);

                let flat: Vec<f32> = z.iter().flatten().map(|&x| x as f32).collect();
                let found = cpu::solve(&problem, &flat, d, true);
                assert_close("cpu", &[found.value], &[value], tolerance);
                let found: Vec<f64> =
                    found.gradient.expect("wanted").into_iter().map(f64::from).collect();
                assert_close("cpu", &found, &gradient, tolerance);

                for rows in [1, 5, 64, 1024] {
                    let data = TensorData::new(flat.clone(), [2 * n, d]);
                    let z = Tensor::<2>::from_data(data, &Device::flex());
                    let cosines = 2 * n * rows;
                    let found = tensor_blocks::solve_in_blocks(cosines, &problem, &z, true, None);
                    let name = format!("tensor operations, {rows} rows a block, n {n}, t {t}");
                    assert_close(&name, &[found.value.into_scalar::<f64>()], &[value], tolerance);
                    let found = found.gradient.expect("wanted").to_data_as::<f64>();
                    let found: Vec<f64> = found.iter::<f64>().collect();
                    assert_close(&name, &found, &gradient, tolerance);
                }
            }
        }
    }

    #[test]
    fn logarithms_and_a_functions_gradient_equal_the_formulas_in_any_number_of_blocks() {
        for (t, tolerance) in [(0.5, 2e-6), (0.01, 1e-4)] {
            for partners in [Partners::Stay, Partners::Leave] {
                let (m, d) = (3 * 70, 19);
                let exclusions = Exclusions::of_distinct_images(70, 3, partners);
                // A weighted sum is a function whose derivatives by the logarithms are the weights.
                let weights: Vec<f64> = (0..m).map(|i| (1 + i % 4) as f64 / 1e3).collect();
                let temperature = Temperature::new(t).expect("valid");
                let problem = Problem::new(temperature, weights.clone(), exclusions);
                let z = unit_rows(m, d, 5);
                let (value, gradient) = oracle(&problem, &z);
                let sum = |logarithms: &[f64]| {
                    logarithms.iter().zip(&weights).map(|(log, weight)| log * weight).sum::<f64>()
                };

                let flat: Vec<f32> = z.iter().flatten().map(|&x| x as f32).collect();
                let (logarithms, found) = cpu::logarithms(
                    &problem.denominators,
                    &flat,
                    d,
                    Some(|_: &[f64]| weights.clone()),
                );
                assert_close("cpu", &[sum(&logarithms)], &[value], tolerance);
                let found: Vec<f64> = found.expect("wanted").into_iter().map(f64::from).collect();
                assert_close("cpu", &found, &gradient, tolerance);

                let z = Tensor::<2>::from_data(TensorData::new(flat, [m, d]), &Device::flex());
                let slopes = TensorData::new(weights.clone(), [m]);
                let slopes = Tensor::<1>::from_data(slopes, (&Device::flex(), z.dtype()));
                for rows in [1, 5, 64, 1024] {
                    let (logarithms, found) = tensor_blocks::logarithms_in_blocks(
                        m * rows,
                        &problem.denominators,
                        &z,
                        Some(|_| slopes.clone()),
                    );
                    let name = format!("tensor operations, {rows} rows a block, t {t}");
                    let logarithms: Vec<f64> = logarithms.to_data_as::<f64>().iter().collect();
                    assert_close(&name, &[sum(&logarithms)], &[value], tolerance);
                    let found = found.expect("wanted").to_data_as::<f64>();
                    let found: Vec<f64> = found.iter::<f64>().collect();
                    assert_close(&name, &found, &gradient, tolerance);
                }
            }
        }
    }

    #[test]
    fn without_autodiff_no_gradient_is_computed() {
        let exclusions = Exclusions::of_distinct_images(2, 2, Partners::Stay);
        let problem =
            Problem::new(Temperature::new(0.5).expect("valid"), vec![0.25; 4], exclusions);
        let z = unit_rows(4, 3, 0).concat();
        let z: Vec<f32> = z.into_iter().map(|x| x as f32).collect();
        assert!(cpu::solve(&problem, &z, 3, false).gradient.is_none());
        let z = Tensor::<2>::from_data(TensorData::new(z, [4, 3]), &Device::flex());
        assert!(tensor_blocks::solve(&problem, &z, false, None).gradient.is_none());
    }

    #[test]
    fn the_digits_do_not_depend_on_the_number_of_threads() {
        let exclusions = Exclusions::of_distinct_images(400, 2, Partners::Stay);
        let weights = vec![1.0 / 800.0; 800];
        let problem = Problem::new(Temperature::new(0.2).expect("valid"), weights, exclusions);
        let z: Vec<f32> = unit_rows(800, 16, 1).concat().into_iter().map(|x| x as f32).collect();
        let with_threads = |threads: usize| {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            let solution = pool.install(|| cpu::solve(&problem, &z, 16, true));
            (solution.value, solution.gradient)
        };
        assert_eq!(with_threads(1), with_threads(4));
    }
}
