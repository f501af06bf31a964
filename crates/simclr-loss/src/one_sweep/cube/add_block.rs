//! The gradient, block by block.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// Adds what a block of rows gives to the gradient: `by_columns` `[m, d]` to all rows, `by_rows` to the block's own.
#[cube(launch)]
pub(super) fn add_block(
    gradient: &mut Tensor<f32>, // [m, d]
    by_columns: &Tensor<f32>,   // [m, d]
    by_rows: &Tensor<f32>,      // [rows of the block, d]
    start: u32,                 // the place of the block's first element
    #[comptime] is_first: bool,
) {
    let place = ABSOLUTE_POS;
    if place < gradient.len() {
        let mut value = by_columns[place];
        let start = start as usize;
        if place >= start && place < start + by_rows.len() {
            value += by_rows[place - start];
        }
        if !is_first {
            value += gradient[place];
        }
        gradient[place] = value;
    }
}
