//! The sum of log-denominators on the CPU: tiles that never leave the cache.
//!
//! The similarity matrix is symmetric, so only the tiles on and above its diagonal are computed, and
//! each serves its rows and its columns. With m rows of d numbers, value and gradient take
//!
//! ```text
//! sweep 1   half the products z zᵀ   -> the denominators
//! sweep 2   half the products z zᵀ   -> the terms again, now divided by their denominators
//!           two half products w z    -> the gradient
//! ```
//!
//! which are 2 m² d multiply-adds, where three full products would be 3 m² d. Recomputing the terms is
//! what keeps the memory at O(m d); it costs half a product and half the exponentials.

#![expect(
    clippy::inline_always,
    reason = "what isn't inlined into `with_simd` is compiled without the vector instructions"
)]

mod exp;
mod packed;
mod product;
mod schedule;
mod tile;

use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use self::packed::{BLOCK, PackedBlock};
use self::schedule::rounds;
use self::tile::{Exponents, Tile};
use super::denominators::Denominators;
use super::problem::Problem;

/// The weighted sum of log-denominators and, if wanted, its gradient `[m, d]`.
pub(super) struct Solution {
    pub(super) value: f64,
    pub(super) gradient: Option<Vec<f32>>,
}

/// Sums `weight * ln(denominator)` over the rows of `z`, unit vectors of d numbers each.
pub(super) fn solve(problem: &Problem, z: &[f32], d: usize, with_gradient: bool) -> Solution {
    let solver = Solver::new(&problem.denominators, z, d);
    let value = solver.value(&problem.weights);
    let gradient = with_gradient.then(|| solver.gradient(&problem.weights));
    Solution { value, gradient }
}

/// The logarithm of each row's denominator. If there are `slopes`, they are asked for the derivatives of some function by
/// the logarithms, and that function's gradient `[m, d]` comes along.
pub(super) fn logarithms(
    denominators: &Denominators,
    z: &[f32],
    d: usize,
    slopes: Option<impl FnOnce(&[f64]) -> Vec<f64>>,
) -> (Vec<f64>, Option<Vec<f32>>) {
    let solver = Solver::new(denominators, z, d);
    let logarithms = solver.logarithms();
    let gradient = slopes.map(|slopes| solver.gradient(&slopes(&logarithms)));
    (logarithms, gradient)
}

/// The denominators, summed.
struct Solver<'a> {
    denominators: &'a Denominators,
    rows: usize,
    d: usize,
    scale: f32,
    /// Every exponent is shifted by the same number.
    shared: bool,
    blocks: Vec<PackedBlock>,
    /// The schedule gives each task its blocks alone, so that no lock ever waits.
    states: Vec<Mutex<State>>,
}

/// What the sweeps have found about the rows of one block.
struct State {
    /// The largest exponent, subtracted from all. Padded, like `factors`, to whole strips.
    offsets: Vec<f32>,
    /// The sum of the terms, each less than or equal to 1.
    sums: Vec<f64>,
    /// The derivative of the value with respect to the sum.
    factors: Vec<f32>,
    /// The gradient with respect to the rows, divided by the scale: padded rows and dimensions.
    gradient: Vec<f32>,
}

impl<'a> Solver<'a> {
    fn new(denominators: &'a Denominators, z: &[f32], d: usize) -> Self {
        let blocks: Vec<PackedBlock> =
            z.par_chunks(BLOCK * d).map(|rows| PackedBlock::new(rows, d)).collect();
        let states = blocks
            .iter()
            .map(|block| {
                Mutex::new(State {
                    // The smallest cosine, so that a row without negatives does not end at -infinity.
                    offsets: vec![-1.0; block.padded_rows()],
                    sums: vec![0.0; block.rows],
                    factors: vec![0.0; block.padded_rows()],
                    gradient: Vec::new(),
                })
            })
            .collect();
        // A scale of zero or infinity would turn an excluded pair's -infinity into NaN.
        let scale = (denominators.scale as f32).clamp(f32::MIN_POSITIVE, f32::MAX);
        let (rows, shared) = (z.len() / d, denominators.constant_shift_is_safe());
        let solver = Self { denominators, rows, d, scale, shared, blocks, states };
        if shared {
            solver.each_state(|state, _| state.offsets.fill(scale));
        } else {
            solver.find_maxima();
        }
        solver.sum_terms();
        solver
    }

    /// Replaces the offsets by each row's largest exponent: needed where exp(-2/t) underflows.
    fn find_maxima(&self) {
        self.each_tile(|tile, (first, second)| {
            let mut rows = self.state(first);
            if first == second {
                tile.raise_to_maxima(&mut rows.offsets, &mut [0.0; BLOCK]);
            } else {
                tile.raise_to_maxima(&mut rows.offsets, &mut self.state(second).offsets);
            }
        });
        self.each_state(|state, _| {
            for offset in &mut state.offsets {
                *offset *= self.scale;
            }
        });
    }

    fn sum_terms(&self) {
        self.each_tile(|tile, (first, second)| {
            let mut guard = self.state(first);
            let rows = &mut *guard;
            if first == second {
                let offsets = &rows.offsets;
                let exponents = self.exponents(offsets, offsets);
                tile.add_sums(exponents, &mut rows.sums, &mut []);
            } else {
                let mut columns = self.state(second);
                let columns = &mut *columns;
                let exponents = self.exponents(&rows.offsets, &columns.offsets);
                tile.add_sums(exponents, &mut rows.sums, &mut columns.sums);
            }
        });
    }

    /// ln(sum of terms) + offset of each row, in f64.
    fn logarithms(&self) -> Vec<f64> {
        let of_block = |state: &Mutex<State>| {
            let state = lock(state);
            let rows = state.sums.iter().zip(&state.offsets);
            rows.map(|(sum, offset)| sum.ln() + f64::from(*offset)).collect::<Vec<_>>()
        };
        self.states.iter().flat_map(of_block).collect()
    }

    /// The weighted sum of the logarithms.
    fn value(&self, weights: &[f64]) -> f64 {
        let of_block = |(index, state): (usize, &Mutex<State>)| {
            let state = lock(state);
            let weights = &weights[index * BLOCK..];
            let rows = weights.iter().zip(&state.sums).zip(&state.offsets);
            rows.filter(|((weight, _), _)| **weight != 0.0)
                .map(|((weight, sum), offset)| weight * (sum.ln() + f64::from(*offset)))
                .sum::<f64>()
        };
        self.states.iter().enumerate().map(of_block).sum()
    }

    /// The gradient of the weighted sum, `[m, d]`.
    fn gradient(&self, weights: &[f64]) -> Vec<f32> {
        self.each_state(|state, index| {
            let block = &self.blocks[index];
            let weights = &weights[index * BLOCK..];
            for ((factor, sum), weight) in state.factors.iter_mut().zip(&state.sums).zip(weights) {
                *factor = if *weight == 0.0 { 0.0 } else { (weight / sum) as f32 };
            }
            state.gradient = vec![0.0; block.padded_rows() * block.padded_d()];
        });
        self.each_tile(|tile, (first, second)| {
            let mut guard = self.state(first);
            let rows = &mut *guard;
            let (row_block, column_block) = (&self.blocks[first], &self.blocks[second]);
            if first == second {
                let exponents = self.exponents(&rows.offsets, &rows.offsets);
                tile.weigh(exponents, &rows.factors, &rows.factors);
                tile.add_rows_gradient(column_block, &mut rows.gradient);
            } else {
                let mut guard = self.state(second);
                let columns = &mut *guard;
                let exponents = self.exponents(&rows.offsets, &columns.offsets);
                tile.weigh(exponents, &rows.factors, &columns.factors);
                tile.add_rows_gradient(column_block, &mut rows.gradient);
                tile.add_columns_gradient(row_block, &mut columns.gradient);
            }
        });
        self.unpadded_gradient()
    }

    fn unpadded_gradient(&self) -> Vec<f32> {
        let mut gradient = vec![0.0; self.rows * self.d];
        let rows_of_blocks = gradient.par_chunks_mut(BLOCK * self.d).zip(&self.states);
        rows_of_blocks.zip(&self.blocks).for_each(|((rows, state), block)| {
            // Taken, not borrowed, so that the padded copy is gone as soon as it is read.
            let padded = std::mem::take(&mut lock(state).gradient);
            let padded_rows = padded.chunks_exact(block.padded_d());
            for (row, padded) in rows.chunks_exact_mut(self.d).zip(padded_rows) {
                for (slot, &x) in row.iter_mut().zip(padded) {
                    *slot = x * self.scale;
                }
            }
        });
        gradient
    }

    fn exponents<'b>(&self, of_rows: &'b [f32], of_columns: &'b [f32]) -> Exponents<'b> {
        Exponents { scale: self.scale, of_rows, of_columns, shared: self.shared }
    }

    /// Visits every tile on or above the diagonal, filled with cosines.
    fn each_tile(&self, visit: impl Fn(&mut Tile, (usize, usize)) + Sync) {
        for round in rounds(self.blocks.len()) {
            round.into_par_iter().for_each_init(Tile::new, |tile, (first, second)| {
                let (rows, columns) = (&self.blocks[first], &self.blocks[second]);
                let (top, left) = (first * BLOCK, second * BLOCK);
                let excluded = self
                    .denominators
                    .exclusions
                    .within(top..top + rows.rows, left..left + columns.rows)
                    .map(|(anchor, other)| (anchor - top, other - left));
                tile.fill(rows, columns, excluded);
                visit(tile, (first, second));
            });
        }
    }

    fn each_state(&self, visit: impl Fn(&mut State, usize) + Sync) {
        self.states
            .par_iter()
            .enumerate()
            .for_each(|(index, state)| visit(&mut lock(state), index));
    }

    fn state(&self, block: usize) -> MutexGuard<'_, State> {
        lock(&self.states[block])
    }
}

/// Another task's panic ends the whole computation, so that nobody reads what it left behind.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a check with every vector type this machine has, not only with its best.
#[cfg(test)]
fn on_every_vector_type(check: impl pulp::WithSimd<Output = ()> + Copy) {
    use pulp::Simd;

    pulp::Scalar::new().vectorize(check);
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = pulp::x86::V3::try_new() {
        Simd::vectorize(avx2, check);
    }
    pulp::Arch::new().dispatch(check);
}
