//! Copies between channels-first and channels-last order.

use rayon::prelude::*;

use super::memory::take;

/// The side of the squares that are transposed one by one: they stay in the first-level cache.
const SQUARE: usize = 16;

/// `[n, channels, pixels]` as `[n, pixels, channels]`.
pub(crate) fn to_channels_last(values: &[f32], channels: usize, pixels: usize) -> Vec<f32> {
    transposed(values, channels, pixels)
}

/// `[n, pixels, channels]` as `[n, channels, pixels]`.
pub(crate) fn to_channels_first(values: &[f32], channels: usize, pixels: usize) -> Vec<f32> {
    transposed(values, pixels, channels)
}

/// `[n, rows, columns]` as `[n, columns, rows]`.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut result = take(values.len());
    let matrix = (rows * columns).max(1);
    result.par_chunks_mut(matrix).zip(values.par_chunks(matrix)).for_each(|(to, from)| {
        for row in (0..rows).step_by(SQUARE) {
            for column in (0..columns).step_by(SQUARE) {
                let last = rows.min(row + SQUARE);
                for j in column..columns.min(column + SQUARE) {
                    let from = from[row * columns + j..].iter().step_by(columns);
                    for (to, &from) in to[j * rows + row..j * rows + last].iter_mut().zip(from) {
                        *to = from;
                    }
                }
            }
        }
    });
    result
}
