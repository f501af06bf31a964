//! The sum of log-denominators in tensor operations, for every backend.
//!
//! Like the CPU's body it computes the tiles on and above the diagonal only, in two sweeps; see there.
//!
//! Each tile needs what is known of a block's rows both as a column and as a row. The one is made from the other by
//! [`row`] and [`column`], which reshape and never transpose: with Burn 0.22's fusion a column that is read both as it
//! is and transposed in one fused kernel is read wrongly. See `docs/adr/0010-no-column-is-read-transposed.md`.

use std::ops::Range;

use burn::tensor::{Bool, Tensor, TensorData};

use super::problem::Problem;

/// Rows of a block. A tile of 1024 x 1024 f32 is 4 MiB, and large enough to keep a GPU busy; a handful
/// exist at a time.
const BLOCK: usize = 1024;

/// The weighted sum of log-denominators, `[1]`, and, if wanted, its gradient `[m, d]`.
pub(super) fn solve(
    problem: &Problem,
    z: &Tensor<2>,
    with_gradient: bool,
) -> (Tensor<1>, Option<Tensor<2>>) {
    solve_in_blocks(BLOCK, problem, z, with_gradient)
}

/// [`solve`] with a block size that a test may choose.
pub(super) fn solve_in_blocks(
    block: usize,
    problem: &Problem,
    z: &Tensor<2>,
    with_gradient: bool,
) -> (Tensor<1>, Option<Tensor<2>>) {
    let mut sweep = Sweep::new(block, problem, z);
    if !problem.constant_shift_is_safe() {
        sweep.find_maxima();
    }
    sweep.sum_terms();
    let value = sweep.value();
    let gradient = with_gradient.then(|| sweep.gradient());
    (value, gradient)
}

struct Sweep<'a> {
    problem: &'a Problem,
    blocks: Vec<Block>,
}

/// b of the rows, and what is known about them.
struct Block {
    rows: Range<usize>,
    z: Tensor<2>,       // [b, d]
    shift: Tensor<2>,   // [b, 1], the cosine subtracted before exp
    sum: Tensor<2>,     // [b, 1], of the terms
    weights: Tensor<2>, // [b, 1]
}

impl<'a> Sweep<'a> {
    fn new(block: usize, problem: &'a Problem, z: &Tensor<2>) -> Self {
        let ([m, _], device, dtype) = (z.dims(), z.device(), z.dtype());
        // Without a constant shift the maxima start at the smallest cosine.
        let shift = if problem.constant_shift_is_safe() { 1.0 } else { -1.0 };
        let block_from = |start: usize| {
            let rows = start..(start + block).min(m);
            let b = rows.len();
            let weights = TensorData::new(problem.weights[rows.clone()].to_vec(), [b, 1]);
            let column = Tensor::<2>::zeros([b, 1], (&device, dtype));
            Block {
                z: z.clone().slice([rows.clone()]),
                shift: column.clone().add_scalar(shift),
                sum: column,
                weights: Tensor::from_data(weights, (&device, dtype)),
                rows,
            }
        };
        Self { problem, blocks: (0..m).step_by(block).map(block_from).collect() }
    }

    /// Raises each row's shift to its largest cosine.
    fn find_maxima(&mut self) {
        for (i, j) in self.tiles() {
            let (cosines, excluded) = self.cosines(i, j); // [b_i, b_j]
            let cosines = match excluded {
                Some(excluded) => cosines.mask_fill(excluded, -1.0),
                None => cosines,
            };
            if i != j {
                let of_columns = column(cosines.clone().max_dim(0));
                let shift = &mut self.blocks[j].shift;
                *shift = shift.clone().max_pair(of_columns);
            }
            let shift = &mut self.blocks[i].shift;
            *shift = shift.clone().max_pair(cosines.max_dim(1));
        }
    }

    fn sum_terms(&mut self) {
        for (i, j) in self.tiles() {
            let (of_rows, of_columns) = self.terms(i, j); // [b_i, b_j] each
            if i != j {
                let sum = &mut self.blocks[j].sum;
                *sum = sum.clone() + column(of_columns.sum_dim(0));
            }
            let sum = &mut self.blocks[i].sum;
            *sum = sum.clone() + of_rows.sum_dim(1);
        }
        for block in &mut self.blocks {
            // A row without negatives has weight 0 and sum 0: a sum of 1 keeps 0 * ln(sum) at 0.
            if self.problem.weights[block.rows.clone()].contains(&0.0) {
                let ignored = block.weights.clone().equal_elem(0.0);
                block.sum = block.sum.clone().mask_fill(ignored, 1.0);
            }
        }
    }

    fn value(&self) -> Tensor<1> {
        let of_block = |block: &Block| {
            let log_denominators =
                block.sum.clone().log() + block.shift.clone().mul_scalar(self.problem.scale);
            (log_denominators * block.weights.clone()).sum()
        };
        self.blocks.iter().map(of_block).reduce(|a, b| a + b).expect("there is at least one row")
    }

    fn gradient(&self) -> Tensor<2> {
        let factors: Vec<Tensor<2>> =
            self.blocks.iter().map(|block| block.weights.clone() / block.sum.clone()).collect();
        let mut gradients: Vec<Tensor<2>> =
            self.blocks.iter().map(|block| block.z.zeros_like()).collect();
        for (i, j) in self.tiles() {
            let (of_rows, of_columns) = self.terms(i, j);
            let weights = of_rows * factors[i].clone() + of_columns * row(factors[j].clone());
            if i != j {
                let of_columns = weights.clone().transpose().matmul(self.blocks[i].z.clone());
                gradients[j] = gradients[j].clone() + of_columns;
            }
            gradients[i] = gradients[i].clone() + weights.matmul(self.blocks[j].z.clone());
        }
        Tensor::cat(gradients, 0).mul_scalar(self.problem.scale)
    }

    /// The terms of the denominators of block i's rows and of block j's, each `[b_i, b_j]`.
    fn terms(&self, i: usize, j: usize) -> (Tensor<2>, Tensor<2>) {
        let (cosines, excluded) = self.cosines(i, j);
        let exp = |shift: Tensor<2>| {
            // At most 0 but for rounding, and for the excluded pairs: those are clamped to stay finite.
            let exponents = (cosines.clone() - shift).mul_scalar(self.problem.scale).clamp_max(1.0);
            match &excluded {
                Some(excluded) => exponents.exp().mask_fill(excluded.clone(), 0.0),
                None => exponents.exp(),
            }
        };
        let of_rows = exp(self.blocks[i].shift.clone());
        let of_columns = if self.problem.constant_shift_is_safe() {
            of_rows.clone()
        } else {
            exp(row(self.blocks[j].shift.clone()))
        };
        (of_rows, of_columns)
    }

    fn cosines(&self, i: usize, j: usize) -> (Tensor<2>, Option<Tensor<2, Bool>>) {
        let (rows, columns) = (&self.blocks[i], &self.blocks[j]);
        let cosines = rows.z.clone().matmul(columns.z.clone().transpose());
        (cosines, self.excluded(rows.rows.clone(), columns.rows.clone()))
    }

    /// The mask of the pairs that leave a tile, if any do.
    fn excluded(&self, rows: Range<usize>, columns: Range<usize>) -> Option<Tensor<2, Bool>> {
        let mut pairs = self.problem.exclusions.within(rows.clone(), columns.clone()).peekable();
        pairs.peek()?;
        let mut mask = vec![false; rows.len() * columns.len()];
        for (anchor, other) in pairs {
            mask[(anchor - rows.start) * columns.len() + other - columns.start] = true;
        }
        let data = TensorData::new(mask, [rows.len(), columns.len()]);
        Some(Tensor::from_data(data, &self.blocks[0].z.device()))
    }

    /// The tiles on and above the diagonal.
    fn tiles(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let count = self.blocks.len();
        (0..count).flat_map(move |i| (i..count).map(move |j| (i, j)))
    }
}

/// A column as a row: `[b, 1]` -> `[1, b]`.
fn row(column: Tensor<2>) -> Tensor<2> {
    let [b, _] = column.dims();
    column.reshape([1, b])
}

/// A row as a column: `[1, b]` -> `[b, 1]`.
fn column(row: Tensor<2>) -> Tensor<2> {
    let [_, b] = row.dims();
    row.reshape([b, 1])
}
