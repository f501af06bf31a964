//! Mean and variance of each channel.
//!
//! Units, then cubes, hold the mean and the sum of squared distances from it of ever more values, and join two of them
//! as Chan, Golub and LeVeque do (1979, "Updating formulae and a pairwise algorithm for computing sample variances").
//! Sums of squares alone would lose their digits where the mean is far from zero.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::rows::Rows;

/// The mean of each vector of channels and the sum of squared distances from it, in rows for each block.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Moments<N: Size> {
    means: Box<[Vector<f32, N>]>,
    distances: Box<[Vector<f32, N>]>,
}

/// Mean and variance of each vector of channels.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Statistics<N: Size> {
    mean: Box<[Vector<f32, N>]>,
    variance: Box<[Vector<f32, N>]>,
}

/// How a batch enters the running statistics.
#[derive(CubeType, CubeLaunch)]
pub(crate) struct Averaging {
    momentum: f32,
    unbiasing: f32,
}

/// The moments of each block of rows.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn moments_of_blocks<F: Float, N: Size>(
    x: &[Vector<F, N>],
    mut moments: Moments<N>,
    rows: &Rows,
    #[define(F)] _dtype: ElemType,
) {
    let column = rows.column();
    let end = rows.end();
    let mut count = 0.0f32;
    let mut mean = Vector::<f32, N>::new(0.0f32);
    let mut distance = Vector::<f32, N>::new(0.0f32);
    if rows.has(column) {
        let mut row = rows.first();
        if row < end {
            // Distances from one of the values: near the others, or a part of their spread.
            let shift = Vector::<f32, N>::cast_from(x[rows.at(row, column)]);
            let mut sum = Vector::<f32, N>::new(0.0f32);
            let mut squares = Vector::<f32, N>::new(0.0f32);
            while row < end {
                let value = Vector::<f32, N>::cast_from(x[rows.at(row, column)]) - shift;
                sum += value;
                squares += value * value;
                count += 1.0f32;
                row += rows.stride();
            }
            let over_count = Vector::<f32, N>::new(1.0f32 / count);
            mean = shift + sum * over_count;
            distance = squares - sum * sum * over_count;
        }
    }
    let (_, mean, distance) =
        joined::<N>(count, mean, distance, comptime![rows.across], comptime![rows.down]);
    if UNIT_POS_Y == 0 && rows.has(column) {
        let at = rows.of_block(column);
        moments.means[at] = mean;
        moments.distances[at] = distance;
    }
}

/// The mean and the biased variance of all rows that were `cut` into blocks, from the moments of those, which are the
/// `rows` of this launch; and the `running` statistics averaged with them.
#[cube(launch)]
pub(crate) fn joined_moments<N: Size>(
    moments: &Moments<N>,
    mut of_batch: Statistics<N>,
    running: &Statistics<N>,
    mut averaged: Statistics<N>,
    averaging: &Averaging,
    cut: &Rows,
    rows: &Rows,
) {
    let column = rows.column();
    let mut count = 0.0f32;
    let mut joined_mean = Vector::<f32, N>::new(0.0f32);
    let mut joined_distance = Vector::<f32, N>::new(0.0f32);
    if rows.has(column) {
        let end = rows.end();
        let mut block = rows.first();
        while block < end {
            let at = rows.at(block, column);
            let (sum, mean, distance) = join::<N>(
                count,
                joined_mean,
                joined_distance,
                f32::cast_from(cut.in_block(block)),
                moments.means[at],
                moments.distances[at],
            );
            count = sum;
            joined_mean = mean;
            joined_distance = distance;
            block += rows.stride();
        }
    }
    let (count, mean, distance) = joined::<N>(
        count,
        joined_mean,
        joined_distance,
        comptime![rows.across],
        comptime![rows.down],
    );
    if UNIT_POS_Y == 0 && rows.has(column) {
        let variance = distance / Vector::<f32, N>::new(count);
        of_batch.mean[column] = mean;
        of_batch.variance[column] = variance;
        let kept = Vector::<f32, N>::new(1.0f32 - averaging.momentum);
        let added = Vector::<f32, N>::new(averaging.momentum);
        let unbiased = variance * Vector::<f32, N>::new(averaging.unbiasing);
        averaged.mean[column] = running.mean[column] * kept + mean * added;
        averaged.variance[column] = running.variance[column] * kept + unbiased * added;
    }
}

/// Count, mean and distance of the values of two sets.
#[cube]
fn join<N: Size>(
    count: f32,
    mean: Vector<f32, N>,
    distance: Vector<f32, N>,
    other_count: f32,
    other_mean: Vector<f32, N>,
    other_distance: Vector<f32, N>,
) -> (f32, Vector<f32, N>, Vector<f32, N>) {
    let sum = count + other_count;
    // Two empty sets are an empty one.
    let share = other_count / max(sum, 1.0f32);
    let apart = other_mean - mean;
    let mean = mean + apart * Vector::<f32, N>::new(share);
    let between = apart * apart * Vector::<f32, N>::new(count * share);
    (sum, mean, distance + other_distance + between)
}

/// The units of a column joined; the result is that of the uppermost unit.
#[cube]
fn joined<N: Size>(
    count: f32,
    mean: Vector<f32, N>,
    distance: Vector<f32, N>,
    #[comptime] across: usize,
    #[comptime] down: usize,
) -> (f32, Vector<f32, N>, Vector<f32, N>) {
    let mut counts = Shared::<[f32]>::new_slice(across * down);
    let mut means = Shared::<[Vector<f32, N>]>::new_slice(across * down);
    let mut distances = Shared::<[Vector<f32, N>]>::new_slice(across * down);
    let at = UNIT_POS as usize;
    counts[at] = count;
    means[at] = mean;
    distances[at] = distance;
    let steps = comptime![down.ilog2()];
    #[unroll]
    for step in 0..steps {
        let half = comptime![down >> (step + 1)];
        sync_cube();
        if (UNIT_POS_Y as usize) < half {
            let other = at + half * across;
            let (count, mean, distance) = join::<N>(
                counts[at],
                means[at],
                distances[at],
                counts[other],
                means[other],
                distances[other],
            );
            counts[at] = count;
            means[at] = mean;
            distances[at] = distance;
        }
    }
    (counts[at], means[at], distances[at])
}
