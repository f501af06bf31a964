//! Values normalised with given statistics.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::channels::Channels;
use super::passing::{bits, passed};
use super::rows::Rows;

/// `x` normalised, plus `residual`, and then ReLU if `channels` say so.
///
/// `words` receives a bit for each value, which says whether ReLU let it pass: a word for each run of rows in each column.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn normalised_values<F: Float, N: Size>(
    x: &[Vector<F, N>],
    residual: ComptimeOption<&[Vector<F, N>]>,
    channels: &Channels<N>,
    output: &mut [Vector<F, N>],
    mut words: ComptimeOption<&mut [u32]>,
    rows: &Rows,
    #[define(F)] _dtype: ElemType,
) {
    let column = rows.column();
    if !rows.has(column) {
        terminate!();
    }
    let channel = channels.of(column);
    let end = rows.end();
    let mut start = rows.first();
    while start < end {
        let mut word = 0u32;
        #[unroll]
        for place in 0..comptime![rows.run] {
            let row = start + place;
            if row < end {
                let at = rows.at(row, column);
                let distance = Vector::<f32, N>::cast_from(x[at]) - channel.mean;
                let mut value = channel.normalised(distance);
                if comptime![residual.is_some()] {
                    value += Vector::<f32, N>::cast_from(residual.as_ref().unwrap()[at]);
                }
                if comptime![words.is_some()] {
                    word |= bits::<N>(value, place);
                }
                if comptime![channels.relu] {
                    value = passed::<N>(value, value);
                }
                output[at] = Vector::<F, N>::cast_from(value);
            }
        }
        if comptime![words.is_some()] {
            words.as_mut().unwrap()[rows.word(start, column)] = word;
        }
        start += rows.stride();
    }
}
