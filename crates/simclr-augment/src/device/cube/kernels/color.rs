//! Operations on the colour of a pixel, as the CPU computes them.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

use crate::device::table::{
    ADD, BLEND_WITH_GRAY, BLEND_WITH_GRAY_MEAN, BLEND_WITH_MEANS, JITTER, SCALE, SCALE_SATURATION,
    TURN_HUE,
};
use crate::weights::{GRAY, SMALLEST_CHROMA};

/// The place of the operation that needs the view's means among the four of its colour jitter; 4 if there is none.
#[cube]
pub(super) fn place_of_means(table: &[f32], row: usize) -> usize {
    let mut place = 4usize;
    for at in 0..4usize {
        let kind = table[row + JITTER + 2 * at] as u32;
        if kind == BLEND_WITH_MEANS || kind == BLEND_WITH_GRAY_MEAN {
            place = at;
        }
    }
    place
}

/// A colour after the operations `from..to` of the jitter, none of which needs the view's means.
#[cube]
pub(super) fn jittered(
    table: &[f32],
    row: usize,
    from: usize,
    to: usize,
    color: (f32, f32, f32),
) -> (f32, f32, f32) {
    let mut red = color.0;
    let mut green = color.1;
    let mut blue = color.2;
    for place in from..to {
        let kind = table[row + JITTER + 2 * place] as u32;
        let number = table[row + JITTER + 2 * place + 1];
        if kind == SCALE {
            red = clip(number * red);
            green = clip(number * green);
            blue = clip(number * blue);
        } else if kind == ADD {
            red = clip(number + red);
            green = clip(number + green);
            blue = clip(number + blue);
        } else if kind == BLEND_WITH_GRAY {
            let gray = gray(red, green, blue);
            red = blend(number, red, gray);
            green = blend(number, green, gray);
            blue = blend(number, blue, gray);
        } else if kind == SCALE_SATURATION {
            let value = max(max(red, green), blue);
            let chroma = value - min(min(red, green), blue);
            let factor = min(number, value / max(chroma, SMALLEST_CHROMA));
            red = clip(value - (value - red) * factor);
            green = clip(value - (value - green) * factor);
            blue = clip(value - (value - blue) * factor);
        } else if kind == TURN_HUE {
            let value = max(max(red, green), blue);
            let chroma = value - min(min(red, green), blue);
            let hue = turned_hue(red, green, blue, 6.0f32 * number);
            red = of_hue(5.0f32, hue, value, chroma);
            green = of_hue(3.0f32, hue, value, chroma);
            blue = of_hue(1.0f32, hue, value, chroma);
        }
    }
    (red, green, blue)
}

/// A colour after the operation that needs the view's means, if there is one at `place`.
#[cube]
pub(super) fn contrasted(
    table: &[f32],
    row: usize,
    place: usize,
    color: (f32, f32, f32),
    means: (f32, f32, f32),
) -> (f32, f32, f32) {
    let mut red = color.0;
    let mut green = color.1;
    let mut blue = color.2;
    if place < 4 {
        let kind = table[row + JITTER + 2 * place] as u32;
        let number = table[row + JITTER + 2 * place + 1];
        let mut of_red = means.0;
        let mut of_green = means.1;
        let mut of_blue = means.2;
        if kind == BLEND_WITH_GRAY_MEAN {
            let mean = gray(of_red, of_green, of_blue);
            of_red = mean;
            of_green = mean;
            of_blue = mean;
        }
        red = blend(number, red, of_red);
        green = blend(number, green, of_green);
        blue = blend(number, blue, of_blue);
    }
    (red, green, blue)
}

#[cube]
pub(super) fn clip(value: f32) -> f32 {
    min(max(value, 0.0f32), 1.0f32)
}

#[cube]
fn blend(factor: f32, value: f32, other: f32) -> f32 {
    clip(factor * value + (1.0f32 - factor) * other)
}

#[cube]
pub(super) fn gray(red: f32, green: f32, blue: f32) -> f32 {
    comptime![GRAY[0]] * red + comptime![GRAY[1]] * green + comptime![GRAY[2]] * blue
}

/// The hue in sixths of a turn, `0..=6`, after a turn by some more.
#[cube]
fn turned_hue(red: f32, green: f32, blue: f32, sixths: f32) -> f32 {
    let value = max(max(red, green), blue);
    let chroma = value - min(min(red, green), blue);
    let mut difference = red - green;
    let mut start = 4.0f32;
    if red >= value {
        difference = green - blue;
        start = 0.0f32;
    } else if green >= value {
        difference = blue - red;
        start = 2.0f32;
    }
    let mut hue = wrap(start + difference / max(chroma, SMALLEST_CHROMA) + sixths);
    if hue < 0.0f32 {
        hue += 6.0f32;
    }
    hue
}

/// A channel of HSV's colour: n is 5 for red, 3 for green and 1 for blue.
#[cube]
fn of_hue(n: f32, hue: f32, value: f32, chroma: f32) -> f32 {
    let k = wrap(n + hue);
    value - chroma * clip(min(k, 4.0f32 - k))
}

/// A full turn, six sixths, is none.
#[cube]
fn wrap(sixths: f32) -> f32 {
    let mut wrapped = sixths;
    if sixths >= 6.0f32 {
        wrapped = sixths - 6.0f32;
    }
    wrapped
}
