//! The colour operations from the one that needs the view's means on.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::color::{contrasted, gray, jittered, place_of_means};
use super::place::Places;
use super::sums::sums_of_units;
use crate::device::table::{COLUMNS, GRAYSCALE};

/// Goes on with the views that `resample` left, from its sums.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn recolor(table: &[f32], sums: &[f32], views: &mut [f32], places: &Places) {
    let (view, pixel, exists) = places.own();
    let size = places.size;
    let mut red = 0.0f32;
    let mut green = 0.0f32;
    let mut blue = 0.0f32;
    if view < places.n {
        let mut block = UNIT_POS as usize;
        while block < places.blocks {
            let at = (view * places.blocks + block) * 3;
            red += sums[at];
            green += sums[at + 1];
            blue += sums[at + 2];
            block += comptime![places.units];
        }
    }
    let (red, green, blue) = sums_of_units(red, green, blue, comptime![places.units]);
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
