//! One pixel of a view, resampled from the words of its crop.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use crate::device::prepared_view::FIXED_POINT_ONE;
use crate::device::table::{
    INPUT, IS_RESIZED, MIRRORED, OFFSET_HIGH, OFFSET_LOW, OFFSET_UNIT, REFLECTED, RESIZED, START,
    X_AXIS, Y_AXIS,
};

/// The pixel at (x, y) of the view whose row of the table begins at `row`.
#[cube]
pub(super) fn sample(
    words: &[i32],
    table: &[f32],
    row: usize,
    x: f32,
    y: f32,
    size: usize,
    #[comptime] bicubic: bool,
) -> (f32, f32, f32) {
    let high = table[row + OFFSET_HIGH] as u32;
    let start = (high * OFFSET_UNIT) as usize + table[row + OFFSET_LOW] as usize;
    let mut red = 0.0f32;
    let mut green = 0.0f32;
    let mut blue = 0.0f32;
    if table[row + IS_RESIZED] > 0.5f32 {
        let at = start + (y as usize * size + x as usize) * 3;
        red = words[at] as f32 / FIXED_POINT_ONE;
        green = words[at + 1] as f32 / FIXED_POINT_ONE;
        blue = words[at + 2] as f32 / FIXED_POINT_ONE;
    } else {
        let column = source(table, row + X_AXIS, x, size);
        let line = source(table, row + Y_AXIS, y, size);
        if column >= 0.0f32 && line >= 0.0f32 {
            let (from_x, to_x) = window(table, row + X_AXIS, column, bicubic);
            let (from_y, to_y) = window(table, row + Y_AXIS, line, bicubic);
            let (step_x, centre_x, unit_x) = measures(table, row + X_AXIS, column);
            let (step_y, centre_y, unit_y) = measures(table, row + Y_AXIS, line);
            let width = table[row + X_AXIS + INPUT] as usize;
            let mut along_row = 0.0f32;
            let mut along_column = 0.0f32;
            for y in from_y..to_y {
                let of_line = weight(y, step_y, centre_y, unit_y, bicubic);
                along_column += of_line;
                along_row = 0.0f32;
                for x in from_x..to_x {
                    let of_column = weight(x, step_x, centre_x, unit_x, bicubic);
                    along_row += of_column;
                    let weight = of_line * of_column;
                    let at = (y * width + x) * 3;
                    red += weight * byte(words, start, at);
                    green += weight * byte(words, start, at + 1);
                    blue += weight * byte(words, start, at + 2);
                }
            }
            let sum = 255.0f32 * along_row * along_column;
            red /= sum;
            green /= sum;
            blue /= sum;
            if bicubic {
                // A cubic overshoots at edges.
                red = min(max(red, 0.0f32), 1.0f32);
                green = min(max(green, 0.0f32), 1.0f32);
                blue = min(max(blue, 0.0f32), 1.0f32);
            }
        }
    }
    (red, green, blue)
}

/// The pixel of the resized crop that lies at `place` of the view along an axis; -1 for a black one. The columns of the
/// axis begin at `axis`.
#[cube]
fn source(table: &[f32], axis: usize, place: f32, size: usize) -> f32 {
    let last = table[axis + RESIZED] - 1.0f32;
    let mut index = place;
    if table[axis + MIRRORED] > 0.5f32 {
        index = (size - 1) as f32 - place;
    }
    index += table[axis + START];
    if table[axis + REFLECTED] > 0.5f32 {
        index = last - (last - index.abs()).abs();
    }
    if index < 0.0f32 || index > last {
        index = -1.0f32;
    }
    index
}

/// The first pixel of the crop that may have a weight, and the one behind the last.
#[cube]
fn window(table: &[f32], axis: usize, index: f32, #[comptime] bicubic: bool) -> (usize, usize) {
    let input = table[axis + INPUT];
    let scale = input / table[axis + RESIZED];
    let mut reach = max(scale, 1.0f32);
    if bicubic {
        reach *= 2.0f32;
    }
    let centre = (index + 0.5f32) * scale;
    let first = max(centre - reach + 0.5f32, 0.0f32);
    let end = min(centre + reach + 0.5f32, input);
    (first as usize, end as usize)
}

/// What [`weight`] measures distances with. Counted so that all of it is whole numbers, the crop's pixels lie at
/// `(2 * pixel + 1) * step` and the view's pixel at `centre`; the larger of the two pixels is `unit` wide.
#[cube]
fn measures(table: &[f32], axis: usize, index: f32) -> (f32, f32, f32) {
    let input = table[axis + INPUT];
    let resized = table[axis + RESIZED];
    (resized, (2.0f32 * index + 1.0f32) * input, 2.0f32 * max(input, resized))
}

/// The weight of a pixel of the crop, not normalised; 0 at the ends of the window and beyond.
#[cube]
fn weight(pixel: usize, step: f32, centre: f32, unit: f32, #[comptime] bicubic: bool) -> f32 {
    // Counted in pixels of the view or of the crop, whichever pixel is larger.
    let distance = ((2.0f32 * pixel as f32 + 1.0f32) * step - centre).abs() / unit;
    if bicubic {
        // Both parts of the cubic are 0 at 1, and the second one also at 2.
        let near = min(distance, 1.0f32);
        let far = min(max(distance, 1.0f32), 2.0f32);
        ((1.5f32 * near - 2.5f32) * near * near + 1.0f32)
            + (((-0.5f32 * far + 2.5f32) * far - 4.0f32) * far + 2.0f32)
    } else {
        max(1.0f32 - distance, 0.0f32)
    }
}

/// A byte of the crop whose words begin at `start`.
#[cube]
fn byte(words: &[i32], start: usize, index: usize) -> f32 {
    let word = words[start + index / 4] as u32;
    ((word >> (index as u32 % 4 * 8)) & 255) as f32
}
