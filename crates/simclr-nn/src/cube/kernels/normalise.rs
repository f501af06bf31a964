//! Values normalised with given statistics.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::passing::{passed, scale};

/// `x` normalised, plus `residual`, and then ReLU if `relu` says so.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn normalised_values<F: Float, N: Size>(
    x: &[Vector<F, N>],
    residual: ComptimeOption<&[Vector<F, N>]>,
    mean: &[Vector<f32, N>],
    variance: &[Vector<f32, N>],
    gamma: &[Vector<f32, N>],
    beta: &[Vector<f32, N>],
    output: &mut [Vector<F, N>],
    epsilon: f32,
    rows: usize,
    width: usize,
    rows_per_block: usize,
    #[comptime] across: usize,
    #[comptime] down: usize,
    #[comptime] relu: bool,
    #[define(F)] _dtype: ElemType,
) {
    let column = CUBE_POS_X as usize * across + UNIT_POS_X as usize;
    if column >= width {
        terminate!();
    }
    let mean = mean[column];
    let scale = scale::<N>(gamma[column], variance[column], epsilon);
    let beta = beta[column];
    let start = CUBE_POS_Y as usize * rows_per_block;
    let mut end = start + rows_per_block;
    if end > rows {
        end = rows;
    }
    let mut row = start + UNIT_POS_Y as usize;
    while row < end {
        let at = row * width + column;
        let mut value = (Vector::<f32, N>::cast_from(x[at]) - mean) * scale + beta;
        if comptime![residual.is_some()] {
            value += Vector::<f32, N>::cast_from(residual.as_ref().unwrap()[at]);
        }
        if relu {
            value = passed::<N>(value, value);
        }
        output[at] = Vector::<F, N>::cast_from(value);
        row += down;
    }
}
