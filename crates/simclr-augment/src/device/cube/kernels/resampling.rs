//! Crop, flips, resize and rotation; then the colour operations that don't need the view's means.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::color::{jittered, place_of_means};
use super::place::Places;
use super::sample::sample;
use super::sums::sums_of_units;
use crate::device::table::{COLUMNS, TURN_A, TURN_B};

/// `views` receives the colours before the operation that needs the means, and `sums`, `[n, blocks, 3]`, their sums over
/// each block of pixels.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn resample(
    words: &[i32],
    table: &[f32],
    views: &mut [f32],
    sums: &mut [f32],
    places: &Places,
    #[comptime] bicubic: bool,
) {
    let (view, pixel, exists) = places.own();
    let size = places.size;
    let mut red = 0.0f32;
    let mut green = 0.0f32;
    let mut blue = 0.0f32;
    if exists {
        let row = view * COLUMNS;
        let color = turned(words, table, row, pixel, size, bicubic);
        let color = jittered(table, row, 0usize, place_of_means(table, row), color);
        red = color.0;
        green = color.1;
        blue = color.2;
        let at = (view * size * size + pixel) * 3;
        views[at] = red;
        views[at + 1] = green;
        views[at + 2] = blue;
    }
    let (red, green, blue) = sums_of_units(red, green, blue, comptime![places.units]);
    if UNIT_POS == 0 && view < places.n {
        sums[CUBE_POS * 3] = red;
        sums[CUBE_POS * 3 + 1] = green;
        sums[CUBE_POS * 3 + 2] = blue;
    }
}

/// A pixel between the four around its place in the view before the rotation. Without one, it is the first of them.
#[cube]
fn turned(
    words: &[i32],
    table: &[f32],
    row: usize,
    pixel: usize,
    size: usize,
    #[comptime] bicubic: bool,
) -> (f32, f32, f32) {
    let last = (size - 1) as f32;
    let dx = (pixel % size) as f32 - last / 2.0f32;
    let dy = (pixel / size) as f32 - last / 2.0f32;
    let a = table[row + TURN_A];
    let b = table[row + TURN_B];
    let x = min(max(a * dx - b * dy + last / 2.0f32, 0.0f32), last);
    let y = min(max(b * dx + a * dy + last / 2.0f32, 0.0f32), last);
    let to_right = x - x.floor();
    let to_bottom = y - y.floor();
    let mut red = 0.0f32;
    let mut green = 0.0f32;
    let mut blue = 0.0f32;
    for corner in 0..4usize {
        let mut share = 1.0f32;
        let mut of_x = x.floor();
        let mut of_y = y.floor();
        if corner % 2 == 1 {
            share *= to_right;
            of_x = min(of_x + 1.0f32, last);
        } else {
            share *= 1.0f32 - to_right;
        }
        if corner / 2 == 1 {
            share *= to_bottom;
            of_y = min(of_y + 1.0f32, last);
        } else {
            share *= 1.0f32 - to_bottom;
        }
        if share > 0.0f32 {
            let color = sample(words, table, row, of_x, of_y, size, bicubic);
            red += share * color.0;
            green += share * color.1;
            blue += share * color.2;
        }
    }
    (red, green, blue)
}
