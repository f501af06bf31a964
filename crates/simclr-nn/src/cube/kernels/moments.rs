//! Mean and variance of each channel.
//!
//! Units, then cubes, hold the mean and the sum of squared distances from it of ever more values, and join two of them
//! as Chan, Golub and LeVeque do (1979, "Updating formulae and a pairwise algorithm for computing sample variances").
//! Sums of squares alone would lose their digits where the mean is far from zero.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// The mean and the sum of squared distances from it of each block of rows.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn moments_of_blocks<F: Float, N: Size>(
    x: &[Vector<F, N>],
    means: &mut [Vector<f32, N>],
    distances: &mut [Vector<f32, N>],
    rows: usize,
    width: usize,
    rows_per_block: usize,
    #[comptime] across: usize,
    #[comptime] down: usize,
    #[define(F)] _dtype: ElemType,
) {
    let column = CUBE_POS_X as usize * across + UNIT_POS_X as usize;
    let start = CUBE_POS_Y as usize * rows_per_block;
    let mut end = start + rows_per_block;
    if end > rows {
        end = rows;
    }
    let mut count = 0.0f32;
    let mut mean = Vector::<f32, N>::new(0.0f32);
    let mut distance = Vector::<f32, N>::new(0.0f32);
    if column < width {
        let mut row = start + UNIT_POS_Y as usize;
        if row < end {
            // Distances from one of the values: near the others, or a part of their spread.
            let shift = Vector::<f32, N>::cast_from(x[row * width + column]);
            let mut sum = Vector::<f32, N>::new(0.0f32);
            let mut squares = Vector::<f32, N>::new(0.0f32);
            while row < end {
                let value = Vector::<f32, N>::cast_from(x[row * width + column]) - shift;
                sum += value;
                squares += value * value;
                count += 1.0f32;
                row += down;
            }
            let over_count = Vector::<f32, N>::new(1.0f32 / count);
            mean = shift + sum * over_count;
            distance = squares - sum * sum * over_count;
        }
    }
    let (_, mean, distance) = joined::<N>(count, mean, distance, across, down);
    if UNIT_POS_Y == 0 && column < width {
        let at = CUBE_POS_Y as usize * width + column;
        means[at] = mean;
        distances[at] = distance;
    }
}

/// The mean and the biased variance of all rows, from those of blocks.
#[cube(launch)]
pub(crate) fn joined_moments<N: Size>(
    means: &[Vector<f32, N>],
    distances: &[Vector<f32, N>],
    mean: &mut [Vector<f32, N>],
    variance: &mut [Vector<f32, N>],
    blocks: usize,
    width: usize,
    rows: usize,
    rows_per_block: usize,
    #[comptime] across: usize,
    #[comptime] down: usize,
) {
    let column = CUBE_POS_X as usize * across + UNIT_POS_X as usize;
    let mut count = 0.0f32;
    let mut joined_mean = Vector::<f32, N>::new(0.0f32);
    let mut joined_distance = Vector::<f32, N>::new(0.0f32);
    if column < width {
        let mut block = UNIT_POS_Y as usize;
        while block < blocks {
            let mut of_block = rows - block * rows_per_block;
            if of_block > rows_per_block {
                of_block = rows_per_block;
            }
            let at = block * width + column;
            let (sum, mean, distance) = join::<N>(
                count,
                joined_mean,
                joined_distance,
                f32::cast_from(of_block),
                means[at],
                distances[at],
            );
            count = sum;
            joined_mean = mean;
            joined_distance = distance;
            block += down;
        }
    }
    let (count, found_mean, distance) =
        joined::<N>(count, joined_mean, joined_distance, across, down);
    if UNIT_POS_Y == 0 && column < width {
        mean[column] = found_mean;
        variance[column] = distance / Vector::<f32, N>::new(count);
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
