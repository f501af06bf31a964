//! The sum of log-denominators in tensor operations, for every backend.
//!
//! A block of rows meets all rows at once, so that each of its denominators is complete, and one sweep is enough. With
//! the softmax of each row, weighted by `w_i / t`, as P, the block gives `P z` to the gradient of its own rows and `Pᵀ z`
//! of its own rows to that of all.
//!
//! Nothing known of the rows is read both as a column and as a row: with Burn 0.22's fusion a column that is read both
//! ways in one fused kernel is read wrongly. See `docs/adr/0010-no-column-is-read-transposed.md`.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};

use super::Answer;
use super::blocks::blocks;
use super::leaving::Leaving;
use super::problem::Problem;
use crate::ranks::{Ranking, Sought};

/// Cosines of a block: 32 MiB in f32, of which a handful exist at a time.
const COSINES: usize = 1 << 23;

/// The weighted sum of log-denominators and, if wanted, its gradient and the ranks.
pub(super) fn solve(
    problem: &Problem,
    z: &Tensor<2>,
    with_gradient: bool,
    sought: Option<&Sought>,
) -> Answer {
    solve_in_blocks(COSINES, problem, z, with_gradient, sought)
}

/// [`solve`] with as many cosines a block as a test chooses.
pub(super) fn solve_in_blocks(
    cosines: usize,
    problem: &Problem,
    z: &Tensor<2>,
    with_gradient: bool,
    sought: Option<&Sought>,
) -> Answer {
    let sweep = Sweep::new(problem, z);
    let ranking = sought.map(|sought| Ranking::new(sought, z));
    let (mut values, mut ranks, mut by_rows) = (Vec::new(), Vec::new(), Vec::new());
    let mut by_columns = z.zeros_like();
    for rows in blocks(z.dims()[0], cosines) {
        let z_of_rows = z.clone().slice([rows.clone()]); // [b, d]
        let cosines = z_of_rows.clone().matmul(z.clone().transpose()); // [b, m]
        ranks.extend(ranking.as_ref().map(|r| r.of_rows(rows.clone(), cosines.clone())));
        let (value, weights) = sweep.block(rows, cosines);
        values.push(value);
        if with_gradient {
            by_rows.push(weights.clone().matmul(z.clone()));
            by_columns = by_columns + weights.transpose().matmul(z_of_rows);
        }
    }
    Answer {
        value: values.into_iter().reduce(|a, b| a + b).expect("there is at least one row"),
        gradient: with_gradient.then(|| Tensor::cat(by_rows, 0) + by_columns),
        ranks: ranking.map(|_| Tensor::cat(ranks, 0)),
    }
}

struct Sweep<'a> {
    problem: &'a Problem,
    weights: Tensor<2>, // [m, 1]
    leaving: Leaving,
}

impl<'a> Sweep<'a> {
    fn new(problem: &'a Problem, z: &Tensor<2>) -> Self {
        let weights = TensorData::new(problem.weights.clone(), [problem.weights.len(), 1]);
        Self {
            problem,
            weights: Tensor::from_data(weights, (&z.device(), z.dtype())),
            leaving: Leaving::new(&problem.exclusions, z),
        }
    }

    /// The block's part of the value, `[1]`, and of the gradient's weights: w / t times the softmax of each row, `[b, m]`.
    fn block(&self, rows: Range<usize>, cosines: Tensor<2>) -> (Tensor<1>, Tensor<2>) {
        let scale = self.problem.scale;
        let excluded = self.leaving.mask(rows.clone(), &cosines); // [b, m]
        let shift = if self.problem.constant_shift_is_safe() {
            self.weights.clone().slice([rows.clone()]).ones_like()
        } else {
            cosines.clone().mask_fill(excluded.clone(), -1.0).max_dim(1)
        }; // [b, 1]
        // At most 0 but for rounding, and for the excluded pairs: those are clamped to stay finite.
        let exponents = (cosines - shift.clone()).mul_scalar(scale).clamp_max(1.0);
        let terms = exponents.exp().mask_fill(excluded, 0.0);

        let weights = self.weights.clone().slice([rows.clone()]); // [b, 1]
        let mut sum = terms.clone().sum_dim(1);
        // A row without negatives has weight 0 and sum 0: a sum of 1 keeps 0 * ln(sum) at 0.
        if self.problem.weights[rows].contains(&0.0) {
            sum = sum.mask_fill(weights.clone().equal_elem(0.0), 1.0);
        }
        let log_denominators = sum.clone().log() + shift.mul_scalar(scale);
        let value = (log_denominators * weights.clone()).sum();
        (value, terms * (weights / sum).mul_scalar(scale))
    }
}
