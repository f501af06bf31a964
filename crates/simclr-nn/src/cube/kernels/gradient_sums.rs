//! The sums over pixels that the gradients of a normalisation need.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::passing::{inverse_deviation, passed, scale};

/// For each block of rows, the sums of the gradients that ReLU let pass, and of those times the centred values.
///
/// ReLU let pass what is positive in `output`; without it, in the values normalised again. `kept` receives the
/// gradients that passed.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn sums_of_blocks<F: Float, N: Size>(
    x: &[Vector<F, N>],
    gradient: &[Vector<F, N>],
    output: ComptimeOption<&[Vector<F, N>]>,
    kept: ComptimeOption<&mut [Vector<F, N>]>,
    mean: &[Vector<f32, N>],
    variance: &[Vector<f32, N>],
    gamma: &[Vector<f32, N>],
    beta: &[Vector<f32, N>],
    plain_sums: &mut [Vector<f32, N>],
    centred_sums: &mut [Vector<f32, N>],
    epsilon: f32,
    rows: usize,
    width: usize,
    rows_per_block: usize,
    #[comptime] across: usize,
    #[comptime] down: usize,
    #[comptime] relu: bool,
    #[define(F)] _dtype: ElemType,
) {
    let mut kept = kept;
    let column = CUBE_POS_X as usize * across + UNIT_POS_X as usize;
    let start = CUBE_POS_Y as usize * rows_per_block;
    let mut end = start + rows_per_block;
    if end > rows {
        end = rows;
    }
    let mut plain = Vector::<f32, N>::new(0.0f32);
    let mut centred = Vector::<f32, N>::new(0.0f32);
    if column < width {
        let mean = mean[column];
        let scale = scale::<N>(gamma[column], variance[column], epsilon);
        let beta = beta[column];
        let mut row = start + UNIT_POS_Y as usize;
        while row < end {
            let at = row * width + column;
            let distance = Vector::<f32, N>::cast_from(x[at]) - mean;
            let mut value = Vector::<f32, N>::cast_from(gradient[at]);
            if relu {
                if comptime![output.is_some()] {
                    let output = Vector::<f32, N>::cast_from(output.as_ref().unwrap()[at]);
                    value = passed::<N>(value, output);
                } else {
                    value = passed::<N>(value, distance * scale + beta);
                }
            }
            if comptime![kept.is_some()] {
                kept.as_mut().unwrap()[at] = Vector::<F, N>::cast_from(value);
            }
            plain += value;
            centred += value * distance;
            row += down;
        }
    }
    let (plain, centred) = summed::<N>(plain, centred, across, down);
    if UNIT_POS_Y == 0 && column < width {
        let at = CUBE_POS_Y as usize * width + column;
        plain_sums[at] = plain;
        centred_sums[at] = centred;
    }
}

/// The gradients of gamma and beta, from the sums of blocks.
#[cube(launch)]
pub(crate) fn joined_sums<N: Size>(
    plain_sums: &[Vector<f32, N>],
    centred_sums: &[Vector<f32, N>],
    variance: &[Vector<f32, N>],
    of_gamma: &mut [Vector<f32, N>],
    of_beta: &mut [Vector<f32, N>],
    epsilon: f32,
    blocks: usize,
    width: usize,
    #[comptime] across: usize,
    #[comptime] down: usize,
) {
    let column = CUBE_POS_X as usize * across + UNIT_POS_X as usize;
    let mut plain = Vector::<f32, N>::new(0.0f32);
    let mut centred = Vector::<f32, N>::new(0.0f32);
    if column < width {
        let mut block = UNIT_POS_Y as usize;
        while block < blocks {
            plain += plain_sums[block * width + column];
            centred += centred_sums[block * width + column];
            block += down;
        }
    }
    let (plain, centred) = summed::<N>(plain, centred, across, down);
    if UNIT_POS_Y == 0 && column < width {
        of_beta[column] = plain;
        of_gamma[column] = centred * inverse_deviation::<N>(variance[column], epsilon);
    }
}

/// The sums of the units of a column; the result is that of the uppermost unit.
#[cube]
fn summed<N: Size>(
    plain: Vector<f32, N>,
    centred: Vector<f32, N>,
    #[comptime] across: usize,
    #[comptime] down: usize,
) -> (Vector<f32, N>, Vector<f32, N>) {
    let mut plains = Shared::<[Vector<f32, N>]>::new_slice(across * down);
    let mut centreds = Shared::<[Vector<f32, N>]>::new_slice(across * down);
    let at = UNIT_POS as usize;
    plains[at] = plain;
    centreds[at] = centred;
    let steps = comptime![down.ilog2()];
    #[unroll]
    for step in 0..steps {
        let half = comptime![down >> (step + 1)];
        sync_cube();
        if (UNIT_POS_Y as usize) < half {
            let other = at + half * across;
            let plain = plains[at] + plains[other];
            let centred = centreds[at] + centreds[other];
            plains[at] = plain;
            centreds[at] = centred;
        }
    }
    (plains[at], centreds[at])
}
