//! The blur, and what follows it.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use super::color::clip;
use super::place::Places;
use crate::device::table::{
    BLUR_CENTRE, BLUR_EXPONENT, BLUR_REACH, COLUMNS, ERASE_BOTTOM, ERASE_LEFT, ERASE_RIGHT,
    ERASE_TOP, FACTOR, MEAN, SOLARIZE,
};

/// Blurs along the rows; a view without blur is copied.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn blur_rows(table: &[f32], views: &[f32], blurred: &mut [f32], places: &Places) {
    let (view, pixel, exists) = places.own();
    let size = places.size;
    if exists {
        let start = (view * size * size + pixel / size * size) * 3;
        let (red, green, blue) =
            weighted(table, view * COLUMNS, views, start, 3usize, pixel % size, size);
        let at = (view * size * size + pixel) * 3;
        blurred[at] = red;
        blurred[at + 1] = green;
        blurred[at + 2] = blue;
    }
}

/// Blurs along the columns; then solarises, erases and normalises.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn finish(table: &[f32], views: &[f32], finished: &mut [f32], places: &Places) {
    let (view, pixel, exists) = places.own();
    let size = places.size;
    if exists {
        let row = view * COLUMNS;
        let x = pixel % size;
        let y = pixel / size;
        let start = (view * size * size + x) * 3;
        let (red, green, blue) = weighted(table, row, views, start, size * 3, y, size);
        let erased = x as f32 >= table[row + ERASE_LEFT]
            && table[row + ERASE_RIGHT] > x as f32
            && y as f32 >= table[row + ERASE_TOP]
            && table[row + ERASE_BOTTOM] > y as f32;
        let at = (view * size * size + pixel) * 3;
        finished[at] = finished_value(table, row, 0usize, red, erased);
        finished[at + 1] = finished_value(table, row, 1usize, green, erased);
        finished[at + 2] = finished_value(table, row, 2usize, blue, erased);
    }
}

/// The weighted sum of the pixels around `place` of a line that begins at `start`, its pixels a `stride` apart, mirrored
/// at its ends.
#[cube]
fn weighted(
    table: &[f32],
    row: usize,
    views: &[f32],
    start: usize,
    stride: usize,
    place: usize,
    size: usize,
) -> (f32, f32, f32) {
    let reach = table[row + BLUR_REACH] as usize;
    let exponent = table[row + BLUR_EXPONENT];
    let mut at = start + place * stride;
    let mut weight = table[row + BLUR_CENTRE];
    let mut red = weight * views[at];
    let mut green = weight * views[at + 1];
    let mut blue = weight * views[at + 2];
    for neighbour in 0..reach {
        let k = neighbour + 1;
        let distance = k as f32;
        weight = table[row + BLUR_CENTRE] * (exponent * distance * distance).exp();
        let mut before = k - place;
        if place > k {
            before = place - k;
        }
        let mut after = place + k;
        if after >= size {
            after = 2 * (size - 1) - after;
        }
        at = start + before * stride;
        let other = start + after * stride;
        red += weight * (views[at] + views[other]);
        green += weight * (views[at + 1] + views[other + 1]);
        blue += weight * (views[at + 2] + views[other + 2]);
    }
    (red, green, blue)
}

/// A value of a channel after solarisation, erasing and normalisation.
#[cube]
fn finished_value(table: &[f32], row: usize, channel: usize, value: f32, erased: bool) -> f32 {
    let mean = table[row + MEAN + channel];
    let mut value = value;
    if value >= table[row + SOLARIZE] {
        value = 1.0f32 - value;
    }
    if erased {
        value = clip(mean);
    }
    (value - mean) * table[row + FACTOR + channel]
}
