//! The sweep over blocks of rows.

use std::ops::Range;

use burn::backend::TensorMetadata;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::{Shape, Slice};
use burn_cubecl::CubeBackend;
use burn_cubecl::cubecl::calculate_cube_count_elemwise;
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::kernel::matmul::{MatmulStrategy, matmul};
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;

use super::add_block::add_block;
use super::lengths::{back_through_lengths, unit_rows};
use super::pairs::{PairsLaunch, answer_rows};
use super::workgroup::UNITS;
use crate::log_denominators::blocks;

/// Cosines of a block: 128 MiB, the largest buffer that every device binds.
const COSINES: usize = 1 << 25;

/// What is asked of every row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub(super) images: usize,
    pub(super) scale: f32,
    pub(super) partners_leave: bool,
    pub(super) by_group: bool,
    pub(super) by_class: bool,
}

/// Tensors in f32 and i32, contiguous.
pub(super) struct Sweep {
    z: CubeTensor,               // [m, d], of length one
    inverse_lengths: CubeTensor, // [m], of the rows as they came
    weights: CubeTensor,         // [m]
    ids: CubeTensor,             // [2, images]
    question: Question,
    terms: CubeTensor, // [m], of the loss
    ranks: CubeTensor, // [m]
}

impl Sweep {
    pub(super) fn new(
        z: CubeTensor,
        weights: CubeTensor,
        ids: CubeTensor,
        question: Question,
    ) -> Self {
        let [z, weights, ids] = [z, weights, ids].map(into_contiguous);
        let [inverse_lengths, terms, ranks] = [(); 3].map(|()| empty(&z, weights.shape()));
        let [m, d] = z.shape().dims();
        let unit_z = empty(&z, z.shape());
        unit_rows::launch(
            &z.client,
            one_workgroup_each(&z, m),
            CubeDim::new_1d(UNITS),
            z.clone().into_tensor_arg(),
            unit_z.clone().into_tensor_arg(),
            inverse_lengths.clone().into_tensor_arg(),
            small(d),
        );
        Self { z: unit_z, inverse_lengths, weights, ids, question, terms, ranks }
    }

    /// What [`run`](Self::run) found: `[1]` and `[m]`.
    pub(super) fn loss_and_ranks(self) -> (CubeTensor, CubeTensor) {
        // Along its only dimension, in the same order every time: a sum of all elements may use atomics.
        (CubeBackend::float_sum_dim(self.terms, 0), self.ranks)
    }

    /// Finds terms and ranks.
    pub(super) fn run(&self) {
        for rows in self.blocks() {
            let start = rows.start;
            self.answer(&self.cosines(self.rows_of_z(rows)), start, false);
        }
    }

    /// Finds terms, ranks and the gradient by the rows as they came, `[m, d]`.
    pub(super) fn run_with_gradient(&self) -> CubeTensor {
        let gradient = empty(&self.z, self.z.shape());
        for rows in self.blocks() {
            let start = rows.start;
            let z_of_rows = self.rows_of_z(rows);
            let cosines = self.cosines(z_of_rows.clone()); // [b, m]
            self.answer(&cosines, start, true);
            let weights = cosines;
            let by_rows = product(weights.clone(), self.z.clone()); // [b, d]
            let by_columns = product(CubeBackend::float_transpose(weights), z_of_rows); // [m, d]
            add(&gradient, by_columns, by_rows, start);
        }
        self.back_through_lengths(&gradient);
        gradient
    }

    fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        blocks(self.z.shape()[0], COSINES)
    }

    fn rows_of_z(&self, rows: Range<usize>) -> CubeTensor {
        CubeBackend::float_slice(self.z.clone(), &[Slice::from(rows)])
    }

    /// The cosines of some rows with all rows: `[b, d]` -> `[b, m]`.
    fn cosines(&self, z_of_rows: CubeTensor) -> CubeTensor {
        product(z_of_rows, CubeBackend::float_transpose(self.z.clone()))
    }

    /// Writes terms and ranks of the rows from `start` on and, if wanted, the gradient's weights over their cosines.
    fn answer(&self, cosines: &CubeTensor, start: usize, with_weights: bool) {
        let [rows, m] = cosines.shape().dims();
        let Question { images, scale, partners_leave, by_group, by_class } = self.question;
        answer_rows::launch(
            &cosines.client,
            CubeCount::Static(small(rows), 1, 1),
            CubeDim::new_1d(UNITS),
            cosines.clone().into_tensor_arg(),
            self.weights.clone().into_tensor_arg(),
            self.ids.clone().into_tensor_arg(),
            self.terms.clone().into_tensor_arg(),
            self.ranks.clone().into_tensor_arg(),
            PairsLaunch::new(
                small(images),
                small(m / images),
                scale,
                partners_leave,
                by_group,
                by_class,
            ),
            small(start),
            with_weights,
        );
    }

    fn back_through_lengths(&self, gradient: &CubeTensor) {
        let [m, d] = gradient.shape().dims();
        back_through_lengths::launch(
            &gradient.client,
            one_workgroup_each(gradient, m),
            CubeDim::new_1d(UNITS),
            gradient.clone().into_tensor_arg(),
            self.z.clone().into_tensor_arg(),
            self.inverse_lengths.clone().into_tensor_arg(),
            small(d),
        );
    }
}

/// Adds a block's parts to the gradient.
fn add(gradient: &CubeTensor, by_columns: CubeTensor, by_rows: CubeTensor, start: usize) {
    let [m, d] = gradient.shape().dims();
    let units = CubeDim::new_1d(UNITS);
    add_block::launch(
        &gradient.client,
        calculate_cube_count_elemwise(&gradient.client, m * d, units),
        units,
        gradient.clone().into_tensor_arg(),
        by_columns.into_tensor_arg(),
        by_rows.into_tensor_arg(),
        small(start * d),
        start == 0,
    );
}

/// At least one workgroup for each of so many rows, whatever limits the device has.
fn one_workgroup_each(like: &CubeTensor, rows: usize) -> CubeCount {
    calculate_cube_count_elemwise(&like.client, rows, CubeDim::new_single())
}

/// The matrix product by the kernel that is fastest here, in rows without gaps.
fn product(a: CubeTensor, b: CubeTensor) -> CubeTensor {
    let ([rows, _], [_, columns], dtype) = (a.shape().dims(), b.shape().dims(), a.dtype);
    let output = empty(&a, Shape::new([rows, columns]));
    matmul(a, b, Some(output), MatmulStrategy::default(), dtype)
        .expect("Burn has a matrix product for all shapes")
}

/// An uninitialised tensor without gaps, of the type of `like` and where it is.
fn empty(like: &CubeTensor, shape: Shape) -> CubeTensor {
    empty_device_contiguous_dtype(like.client.clone(), like.device.clone(), shape, like.dtype)
}

/// A number of rows or of elements of `[m, d]` as kernels count.
fn small(number: usize) -> u32 {
    u32::try_from(number).expect("less than 2^32 elements")
}
