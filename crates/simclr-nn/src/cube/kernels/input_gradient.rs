//! The gradient of what was normalised.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::passing::{inverse_deviation, passed};

/// The gradient of `x`, from `gradient`, the output's, and the gradients of gamma and beta. `x` also acts through the
/// statistics of the batch.
///
/// `relu` says that `gradient` has yet to be cut where the values normalised again aren't positive.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn gradient_of_input<F: Float, N: Size>(
    x: &[Vector<F, N>],
    gradient: &[Vector<F, N>],
    mean: &[Vector<f32, N>],
    variance: &[Vector<f32, N>],
    gamma: &[Vector<f32, N>],
    beta: &[Vector<f32, N>],
    of_gamma: &[Vector<f32, N>],
    of_beta: &[Vector<f32, N>],
    of_x: &mut [Vector<F, N>],
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
    let beta = beta[column];
    let inverse_deviation = inverse_deviation::<N>(variance[column], epsilon);
    let scale = gamma[column] * inverse_deviation;
    let over_count = Vector::<f32, N>::new(1.0f32 / f32::cast_from(rows));
    let of_mean = of_beta[column] * over_count;
    let of_deviation = of_gamma[column] * over_count * inverse_deviation;
    let start = CUBE_POS_Y as usize * rows_per_block;
    let mut end = start + rows_per_block;
    if end > rows {
        end = rows;
    }
    let mut row = start + UNIT_POS_Y as usize;
    while row < end {
        let at = row * width + column;
        let distance = Vector::<f32, N>::cast_from(x[at]) - mean;
        let mut value = Vector::<f32, N>::cast_from(gradient[at]);
        if relu {
            value = passed::<N>(value, distance * scale + beta);
        }
        of_x[at] = Vector::<F, N>::cast_from(scale * (value - of_mean - distance * of_deviation));
        row += down;
    }
}
