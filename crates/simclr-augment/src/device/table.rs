//! The parameters of a view as a row of numbers, which a device reads. All whole numbers among them are exact in f32.

use super::prepared_view::{Pixels, PreparedView};
use crate::config::Normalization;
use crate::draw::PaddingFill;
use crate::weights::{Axis, JitterOp, Turn, set_blur_kernel};

/// The word at which the view's pixels begin: `OFFSET_UNIT * high + low`.
pub(super) const OFFSET_HIGH: usize = 0;
pub(super) const OFFSET_LOW: usize = 1;
/// 1 if the pixels are [`Pixels::Resized`], 0 for a crop.
pub(super) const IS_RESIZED: usize = 2;
/// The [`Axis`] along a row, and the one along a column. The columns of an axis, counted from there:
pub(super) const X_AXIS: usize = 3;
pub(super) const Y_AXIS: usize = 8;
pub(super) const INPUT: usize = 0;
pub(super) const RESIZED: usize = 1;
pub(super) const START: usize = 2;
pub(super) const MIRRORED: usize = 3;
/// 1 if the crop is mirrored beyond its ends, 0 for black.
pub(super) const REFLECTED: usize = 4;
/// The [`Turn`]; a = 1 and b = 0 for none.
pub(super) const TURN_A: usize = 13;
pub(super) const TURN_B: usize = 14;
/// Four operations of the colour jitter, with two columns each: its kind, of those below, and its number.
pub(super) const JITTER: usize = 15;
/// 1 if the view loses its colour.
pub(super) const GRAYSCALE: usize = 23;
/// The blur weighs the pixel k places away by `centre * exp(exponent * k * k)`, for k up to the reach; reach 0 and
/// centre 1 for none.
pub(super) const BLUR_REACH: usize = 24;
pub(super) const BLUR_CENTRE: usize = 25;
pub(super) const BLUR_EXPONENT: usize = 26;
/// The solarisation's threshold; 2, which no value reaches, for none.
pub(super) const SOLARIZE: usize = 27;
/// The erased box, without its right and bottom ends; empty for none.
pub(super) const ERASE_LEFT: usize = 28;
pub(super) const ERASE_RIGHT: usize = 29;
pub(super) const ERASE_TOP: usize = 30;
pub(super) const ERASE_BOTTOM: usize = 31;
/// Three columns each: the means, which in `[0, 1]` are also the colour of the erased box, and one over each deviation.
pub(super) const MEAN: usize = 32;
pub(super) const FACTOR: usize = 35;
pub(super) const COLUMNS: usize = 38;

pub(super) const OFFSET_UNIT: u32 = 1 << 16;

/// 0 is no operation.
pub(super) const SCALE: u32 = 1;
pub(super) const ADD: u32 = 2;
pub(super) const BLEND_WITH_MEANS: u32 = 3;
pub(super) const BLEND_WITH_GRAY_MEAN: u32 = 4;
pub(super) const BLEND_WITH_GRAY: u32 = 5;
pub(super) const SCALE_SATURATION: u32 = 6;
pub(super) const TURN_HUE: u32 = 7;

/// A view's row; its pixels begin at word `offset`.
pub(super) fn row(
    view: &PreparedView,
    offset: usize,
    normalization: &Normalization,
) -> [f32; COLUMNS] {
    let params = view.params();
    let mut row = [0.0; COLUMNS];
    row[OFFSET_HIGH] = (offset / OFFSET_UNIT as usize) as f32;
    row[OFFSET_LOW] = (offset % OFFSET_UNIT as usize) as f32;
    row[IS_RESIZED] = flag(view.pixels() == Pixels::Resized);
    for (start, axis) in [X_AXIS, Y_AXIS].into_iter().zip(view.axes()) {
        set_axis(&mut row[start..], &axis);
    }
    let turn = params.rotation.map_or(Turn { a: 1.0, b: 0.0 }, Turn::new);
    [row[TURN_A], row[TURN_B]] = [turn.a, turn.b];
    let ops = params.jitter.as_ref().map(JitterOp::in_order);
    for (place, op) in ops.iter().flatten().enumerate() {
        let (kind, number) = code(*op);
        row[JITTER + 2 * place] = kind as f32;
        row[JITTER + 2 * place + 1] = number;
    }
    row[GRAYSCALE] = flag(params.grayscale);
    [row[BLUR_REACH], row[BLUR_CENTRE], row[BLUR_EXPONENT]] =
        params.blur_sigma.map_or([0.0, 1.0, 0.0], |sigma| blur(view.size(), sigma));
    row[SOLARIZE] = params.solarize.map_or(2.0, |threshold| threshold.clamp(-1.0, 2.0));
    if let Some(erased) = params.erase {
        let ends = [erased.x, erased.x + erased.width, erased.y, erased.y + erased.height];
        row[ERASE_LEFT..=ERASE_BOTTOM].copy_from_slice(&ends.map(|end| end as f32));
    }
    row[MEAN..MEAN + 3].copy_from_slice(&normalization.mean);
    row[FACTOR..FACTOR + 3].copy_from_slice(&normalization.std.map(f32::recip));
    row
}

fn flag(condition: bool) -> f32 {
    f32::from(u8::from(condition))
}

fn set_axis(columns: &mut [f32], axis: &Axis) {
    columns[INPUT] = axis.input as f32;
    columns[RESIZED] = axis.resized as f32;
    columns[START] = axis.start as f32;
    columns[MIRRORED] = flag(axis.mirrored);
    columns[REFLECTED] = flag(axis.beyond == PaddingFill::Reflect);
}

/// The kind of an operation, and its number.
pub(super) fn code(op: JitterOp) -> (u32, f32) {
    match op {
        JitterOp::Scale(factor) => (SCALE, factor),
        JitterOp::Add(delta) => (ADD, delta),
        JitterOp::BlendWithMeans(factor) => (BLEND_WITH_MEANS, factor),
        JitterOp::BlendWithGrayMean(factor) => (BLEND_WITH_GRAY_MEAN, factor),
        JitterOp::BlendWithGray(factor) => (BLEND_WITH_GRAY, factor),
        JitterOp::ScaleSaturation(factor) => (SCALE_SATURATION, factor),
        JitterOp::TurnHue(turn) => (TURN_HUE, turn),
    }
}

/// Reach, centre and exponent.
fn blur(size: u32, sigma: f32) -> [f32; 3] {
    let mut taps = Vec::new();
    set_blur_kernel(&mut taps, size as usize, sigma);
    match taps[..] {
        [centre, _, ..] => [(taps.len() - 1) as f32, centre, -0.5 / (sigma * sigma)],
        // As on the CPU, a kernel of one pixel is no blur.
        _ => [0.0, 1.0, 0.0],
    }
}
