//! What lies before and behind the sweep: rows of length one, and the way of the gradient back through their lengths.
//!
//! One workgroup has a row.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::workgroup::{UNITS, sum_of_units};
use crate::views::SMALLEST_SQUARED_NORM;

/// Scales each row to length one. A row without a direction becomes zero, and so does its inverse length.
#[cube(launch)]
pub(super) fn unit_rows(
    z: &Tensor<f32>,                   // [m, d]
    unit_rows: &mut Tensor<f32>,       // [m, d]
    inverse_lengths: &mut Tensor<f32>, // [m]
    d: u32,
) {
    let row = CUBE_POS;
    if row < inverse_lengths.len() {
        let start = row * d as usize;
        let mut squares = f32::new(0.0);
        let mut column = UNIT_POS_X;
        while column < d {
            let value = z[start + column as usize];
            squares += value * value;
            column += UNITS;
        }
        let squares = sum_of_units(squares);
        let mut inverse_length = 1.0 / f32::sqrt(squares);
        if squares < SMALLEST_SQUARED_NORM {
            inverse_length = f32::new(0.0);
        }
        let mut column = UNIT_POS_X;
        while column < d {
            let place = start + column as usize;
            unit_rows[place] = z[place] * inverse_length;
            column += UNITS;
        }
        if UNIT_POS_X == 0 {
            inverse_lengths[row] = inverse_length;
        }
    }
}

/// Turns the gradient g by unit rows u into that by the rows: `(g - (g . u) u) / length`.
#[cube(launch)]
pub(super) fn back_through_lengths(
    gradient: &mut Tensor<f32>,    // [m, d]
    unit_rows: &Tensor<f32>,       // [m, d]
    inverse_lengths: &Tensor<f32>, // [m]
    d: u32,
) {
    let row = CUBE_POS;
    if row < inverse_lengths.len() {
        let start = row * d as usize;
        let mut along = f32::new(0.0);
        let mut column = UNIT_POS_X;
        while column < d {
            let place = start + column as usize;
            along += gradient[place] * unit_rows[place];
            column += UNITS;
        }
        let along = sum_of_units(along);
        let inverse_length = inverse_lengths[row];
        let mut column = UNIT_POS_X;
        while column < d {
            let place = start + column as usize;
            gradient[place] = (gradient[place] - along * unit_rows[place]) * inverse_length;
            column += UNITS;
        }
    }
}
