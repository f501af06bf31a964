//! The sums over pixels that the gradients of a normalisation need.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::channels::Channels;
use super::passing::{passed, passed_by_bits};
use super::rows::Rows;

/// What follows ReLU where a residual was added before it.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Cut<F: Float, N: Size> {
    /// A bit for each value, which says whether ReLU let it pass: a word for each run of rows in each column.
    words: Box<[u32]>,
    /// Receives the gradients that passed.
    kept: Box<[Vector<F, N>]>,
}

/// A sum for each vector of channels, in rows for each block: those of the gradients that ReLU let pass, and of those
/// times the centred values.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Sums<N: Size> {
    plain: Box<[Vector<f32, N>]>,
    centred: Box<[Vector<f32, N>]>,
}

/// The sums of each block of rows.
///
/// Without `cut`, ReLU let pass what is positive in the values normalised again.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn sums_of_blocks<F: Float, N: Size>(
    x: &[Vector<F, N>],
    gradient: &[Vector<F, N>],
    channels: &Channels<N>,
    mut cut: ComptimeOption<Cut<F, N>>,
    mut sums: Sums<N>,
    rows: &Rows,
    #[define(F)] _dtype: ElemType,
) {
    let column = rows.column();
    let mut plain = Vector::<f32, N>::new(0.0f32);
    let mut centred = Vector::<f32, N>::new(0.0f32);
    if rows.has(column) {
        let channel = channels.of(column);
        let end = rows.end();
        let mut start = rows.first();
        while start < end {
            let mut word = 0u32;
            if comptime![cut.is_some()] {
                word = cut.as_ref().unwrap().words[rows.word(start, column)];
            }
            #[unroll]
            for place in 0..comptime![rows.run] {
                let row = start + place;
                if row < end {
                    let at = rows.at(row, column);
                    let distance = Vector::<f32, N>::cast_from(x[at]) - channel.mean;
                    let mut value = Vector::<f32, N>::cast_from(gradient[at]);
                    if comptime![cut.is_some()] {
                        value = passed_by_bits::<N>(value, word, place);
                        cut.as_mut().unwrap().kept[at] = Vector::<F, N>::cast_from(value);
                    } else if comptime![channels.relu] {
                        value = passed::<N>(value, channel.normalised(distance));
                    }
                    plain += value;
                    centred += value * distance;
                }
            }
            start += rows.stride();
        }
    }
    let (plain, centred) =
        summed::<N>(plain, centred, comptime![rows.across], comptime![rows.down]);
    if UNIT_POS_Y == 0 && rows.has(column) {
        let at = rows.of_block(column);
        sums.plain[at] = plain;
        sums.centred[at] = centred;
    }
}

/// The gradients of gamma and beta, from the sums of blocks, a row for each.
#[cube(launch)]
pub(crate) fn joined_sums<N: Size>(
    sums: &Sums<N>,
    channels: &Channels<N>,
    of_gamma: &mut [Vector<f32, N>],
    of_beta: &mut [Vector<f32, N>],
    rows: &Rows,
) {
    let column = rows.column();
    let mut plain = Vector::<f32, N>::new(0.0f32);
    let mut centred = Vector::<f32, N>::new(0.0f32);
    if rows.has(column) {
        let end = rows.end();
        let mut row = rows.first();
        while row < end {
            let at = rows.at(row, column);
            plain += sums.plain[at];
            centred += sums.centred[at];
            row += rows.stride();
        }
    }
    let (plain, centred) =
        summed::<N>(plain, centred, comptime![rows.across], comptime![rows.down]);
    if UNIT_POS_Y == 0 && rows.has(column) {
        of_beta[column] = plain;
        of_gamma[column] = centred * channels.of(column).inverse_deviation;
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
