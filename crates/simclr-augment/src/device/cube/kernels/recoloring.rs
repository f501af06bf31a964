//! The colour operations from the one that needs the view's means on.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::color::{contrasted, gray, jittered, place_of_means};
use super::place::place;
use super::sums::sums_of_units;
use crate::device::table::{COLUMNS, GRAYSCALE};

/// Goes on with the views that `resample` left, from its sums.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn recolor(
    table: &[f32],
    sums: &[f32],
    views: &mut [f32],
    n: usize,
    size: usize,
    blocks: usize,
    #[comptime] units: usize,
) {
    let (view, pixel, exists) = place(n, size, blocks, units);
    let mut red = 0.0f32;
    let mut green = 0.0f32;
    let mut blue = 0.0f32;
    if view < n {
        let mut block = UNIT_POS as usize;
        while block < blocks {
            let at = (view * blocks + block) * 3;
            red += sums[at];
            green += sums[at + 1];
            blue += sums[at + 2];
            block += units;
        }
    }
    let (red, green, blue) = sums_of_units(red, green, blue, units);
    if exists {
        let count = (size * size) as f32;
        let means = (red / count, green / count, blue / count);
        let row = view * COLUMNS;
        let at = (view * size * size + pixel) * 3;
        let place = place_of_means(table, row);
        let color = (views[at], views[at + 1], views[at + 2]);
        let color = contrasted(table, row, place, color, means);
        let color = jittered(table, row, place, 4usize, color);
        let mut red = color.0;
        let mut green = color.1;
        let mut blue = color.2;
        if table[row + GRAYSCALE] > 0.5f32 {
            let gray = gray(red, green, blue);
            red = gray;
            green = gray;
            blue = gray;
        }
        views[at] = red;
        views[at + 1] = green;
        views[at + 2] = blue;
    }
}
