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
use super::denominators::Denominators;
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
    let sweep = Sweep::new(&problem.denominators, z);
    let all_weights = TensorData::new(problem.weights.clone(), [problem.weights.len(), 1]);
    let all_weights: Tensor<2> = Tensor::from_data(all_weights, (&z.device(), z.dtype()));
    let ranking = sought.map(|sought| Ranking::new(sought, z));
    let (mut values, mut ranks) = (Vec::new(), Vec::new());
    let mut gradient = with_gradient.then(|| Gradient::new(z));
    for rows in blocks(z.dims()[0], cosines) {
        let z_of_rows = z.clone().slice([rows.clone()]); // [b, d]
        let cosines = z_of_rows.clone().matmul(z.clone().transpose()); // [b, m]
        ranks.extend(ranking.as_ref().map(|r| r.of_rows(rows.clone(), cosines.clone())));
        let weights = all_weights.clone().slice([rows.clone()]); // [b, 1]
        let mut block = sweep.block(rows.clone(), cosines);
        // A row without negatives has weight 0 and sum 0: a sum of 1 keeps 0 * ln(sum) at 0.
        if problem.weights[rows].contains(&0.0) {
            block.sums = block.sums.mask_fill(weights.clone().equal_elem(0.0), 1.0);
        }
        values.push((sweep.logarithms(&block) * weights.clone()).sum());
        if let Some(gradient) = &mut gradient {
            gradient.add(z_of_rows, sweep.pair_weights(block, weights));
        }
    }
    Answer {
        value: values.into_iter().reduce(|a, b| a + b).expect("there is at least one row"),
        gradient: gradient.map(Gradient::finish),
        ranks: ranking.map(|_| Tensor::cat(ranks, 0)),
    }
}

/// The logarithm of each row's denominator, `[m]`, and the gradient `[m, d]` of a function of them, as
/// [`Denominators::logarithms`] says. The gradient takes a second sweep.
pub(super) fn logarithms(
    denominators: &Denominators,
    z: &Tensor<2>,
    slopes: Option<impl FnOnce(Tensor<1>) -> Tensor<1>>,
) -> (Tensor<1>, Option<Tensor<2>>) {
    logarithms_in_blocks(COSINES, denominators, z, slopes)
}

/// [`logarithms`] with as many cosines a block as a test chooses.
pub(super) fn logarithms_in_blocks(
    cosines: usize,
    denominators: &Denominators,
    z: &Tensor<2>,
    slopes: Option<impl FnOnce(Tensor<1>) -> Tensor<1>>,
) -> (Tensor<1>, Option<Tensor<2>>) {
    let sweep = Sweep::new(denominators, z);
    let block = |rows: Range<usize>| {
        let z_of_rows = z.clone().slice([rows.clone()]); // [b, d]
        let cosines = z_of_rows.clone().matmul(z.clone().transpose()); // [b, m]
        (z_of_rows, sweep.block(rows, cosines))
    };
    let blocks = || blocks(z.dims()[0], cosines);
    let logarithms = blocks().map(|rows| sweep.logarithms(&block(rows).1).squeeze_dim(1));
    let logarithms: Tensor<1> = Tensor::cat(logarithms.collect(), 0);
    let gradient = slopes.map(|slopes| {
        let slopes: Tensor<2> = slopes(logarithms.clone()).unsqueeze_dim(1); // [m, 1]
        let mut gradient = Gradient::new(z);
        for rows in blocks() {
            let (z_of_rows, block) = block(rows.clone());
            gradient.add(z_of_rows, sweep.pair_weights(block, slopes.clone().slice([rows])));
        }
        gradient.finish()
    });
    (logarithms, gradient)
}

/// The gradient of what the blocks so far have found.
struct Gradient<'a> {
    z: &'a Tensor<2>,
    by_rows: Vec<Tensor<2>>, // [b, d] a block
    by_columns: Tensor<2>,   // [m, d]
}

impl<'a> Gradient<'a> {
    fn new(z: &'a Tensor<2>) -> Self {
        Self { z, by_rows: Vec::new(), by_columns: z.zeros_like() }
    }

    /// Adds the next block: its rows, `[b, d]`, and what each of its pairs weighs, `[b, m]`.
    fn add(&mut self, z_of_rows: Tensor<2>, weights: Tensor<2>) {
        self.by_rows.push(weights.clone().matmul(self.z.clone()));
        self.by_columns = self.by_columns.clone() + weights.transpose().matmul(z_of_rows);
    }

    /// `[m, d]`, after the last block.
    fn finish(self) -> Tensor<2> {
        Tensor::cat(self.by_rows, 0) + self.by_columns
    }
}

struct Sweep<'a> {
    denominators: &'a Denominators,
    leaving: Leaving,
}

/// The terms of some rows' denominators.
struct Block {
    terms: Tensor<2>, // [b, m], each times exp(-shift / t)
    sums: Tensor<2>,  // [b, 1]
    shift: Tensor<2>, // [b, 1]
}

impl<'a> Sweep<'a> {
    fn new(denominators: &'a Denominators, z: &Tensor<2>) -> Self {
        Self { denominators, leaving: Leaving::new(&denominators.exclusions, z) }
    }

    /// From the cosines of some rows with all rows, `[b, m]`.
    fn block(&self, rows: Range<usize>, cosines: Tensor<2>) -> Block {
        let excluded = self.leaving.mask(rows.clone(), &cosines); // [b, m]
        let shift = if self.denominators.constant_shift_is_safe() {
            Tensor::ones([rows.len(), 1], (&cosines.device(), cosines.dtype()))
        } else {
            cosines.clone().mask_fill(excluded.clone(), -1.0).max_dim(1)
        };
        // At most 0 but for rounding, and for the excluded pairs: those are clamped to stay finite.
        let exponents = (cosines - shift.clone()).mul_scalar(self.denominators.scale);
        let terms = exponents.clamp_max(1.0).exp().mask_fill(excluded, 0.0);
        Block { sums: terms.clone().sum_dim(1), terms, shift }
    }

    /// The logarithms of the block's denominators: `[b, 1]`.
    fn logarithms(&self, block: &Block) -> Tensor<2> {
        block.sums.clone().log() + block.shift.clone().mul_scalar(self.denominators.scale)
    }

    /// What each pair weighs in the gradient, w / t times the softmax of each row: `[b, m]`.
    fn pair_weights(&self, block: Block, weights: Tensor<2>) -> Tensor<2> {
        block.terms * (weights / block.sums).mul_scalar(self.denominators.scale)
    }
}
