use burn::tensor::Tensor;

use super::on_device::OnDevice;
use super::select;
use crate::device::table::{self, ERASE_BOTTOM, ERASE_LEFT, ERASE_RIGHT, ERASE_TOP, MEAN};
use crate::device::table::{GRAYSCALE, JITTER, SOLARIZE};
use crate::weights::{GRAY, JitterOp, SMALLEST_CHROMA};

/// The colour jitter of each view, in its own order: `[n, y, 3, x]` in, the same out.
///
/// The first operations of all views run together, then the second ones, and so on. A view with another
/// operation, or none, has a number that leaves it as it is.
pub(super) fn jitter(mut views: Tensor<4>, batch: &OnDevice) -> Tensor<4> {
    let ops: Vec<[JitterOp; 4]> =
        batch.params().filter_map(|p| p.jitter.as_ref().map(JitterOp::in_order)).collect();
    for place in 0..4 {
        let mut kinds: Vec<u32> = ops.iter().map(|ops| table::code(ops[place]).0).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            views = apply(kind, views, batch, place);
        }
    }
    views
}

fn apply(kind: u32, views: Tensor<4>, batch: &OnDevice, place: usize) -> Tensor<4> {
    let column = JITTER + 2 * place;
    let has = batch.number(column).equal_elem(kind as f32).float();
    let number = batch.number(column + 1);
    let factor = || has.clone() * (number.clone() - 1.0) + 1.0;
    let blend = |other: Tensor<4>| {
        let factor = factor();
        (views.clone() * factor.clone() + other * (factor.neg() + 1.0)).clamp(0.0, 1.0)
    };
    match kind {
        table::SCALE => (views * factor()).clamp(0.0, 1.0),
        table::ADD => (views + has * number).clamp(0.0, 1.0),
        table::BLEND_WITH_MEANS => blend(views.clone().mean_dim(1).mean_dim(3)),
        table::BLEND_WITH_GRAY_MEAN => blend(gray_of(&views.clone().mean_dim(1).mean_dim(3))),
        table::BLEND_WITH_GRAY => blend(gray_of(&views)),
        table::SCALE_SATURATION => scale_saturation(views, factor()),
        table::TURN_HUE => {
            let turned = turn_hue(&views, has.clone() * number * 6.0);
            select(has, turned, views)
        }
        _ => views,
    }
}

/// Google's saturation, as `scale_saturation` computes it on the CPU.
fn scale_saturation(views: Tensor<4>, factor: Tensor<4>) -> Tensor<4> {
    let value = views.clone().max_dim(2);
    let chroma = value.clone() - views.clone().min_dim(2);
    let largest = value.clone() / chroma.clamp_min(SMALLEST_CHROMA);
    let factor = factor.expand(largest.dims()).min_pair(largest); // [n, y, 1, x]
    (value.clone() - (value - views) * factor).clamp(0.0, 1.0)
}

/// The steps of `turn_hue` on the CPU, with masks for its selections.
fn turn_hue(views: &Tensor<4>, sixths: Tensor<4>) -> Tensor<4> {
    let [red, green, blue] = channels(views); // [n, y, 1, x] each
    let value = views.clone().max_dim(2);
    let chroma = value.clone() - views.clone().min_dim(2);
    let from_red = red.clone().greater_equal(value.clone()).float();
    let from_green =
        green.clone().greater_equal(value.clone()).float() * (from_red.clone().neg() + 1.0);
    let from_blue = (from_red.clone() + from_green.clone()).neg() + 1.0;
    let difference = (green.clone() - blue.clone()) * from_red
        + (blue - red.clone()) * from_green.clone()
        + (red - green) * from_blue.clone();
    let start = from_green * 2.0 + from_blue * 4.0;
    let hue = start + difference / chroma.clone().clamp_min(SMALLEST_CHROMA);
    let hue = wrap(hue + sixths);
    let hue = hue.clone() + hue.lower_elem(0.0).float() * 6.0;
    let channel = |n: f32| {
        let k = wrap(hue.clone() + n);
        let k = k.clone().min_pair(k.neg() + 4.0).clamp(0.0, 1.0);
        value.clone() - chroma.clone() * k
    };
    Tensor::cat(vec![channel(5.0), channel(3.0), channel(1.0)], 2)
}

/// A full turn, six sixths, is none.
fn wrap(sixths: Tensor<4>) -> Tensor<4> {
    sixths.clone() - sixths.greater_equal_elem(6.0).float() * 6.0
}

/// Red, green and blue of `[n, y, 3, x]`, with one channel each.
fn channels(views: &Tensor<4>) -> [Tensor<4>; 3] {
    [0, 1, 2].map(|channel| views.clone().narrow(2, channel, 1))
}

fn gray_of(views: &Tensor<4>) -> Tensor<4> {
    let [red, green, blue] = channels(views);
    red * GRAY[0] + green * GRAY[1] + blue * GRAY[2]
}

/// Turns the views gray that are to lose their colour.
pub(super) fn gray(views: Tensor<4>, batch: &OnDevice) -> Tensor<4> {
    if !batch.params().any(|params| params.grayscale) {
        return views;
    }
    select(batch.number(GRAYSCALE), gray_of(&views), views)
}

/// Inverts the values of at least each view's threshold.
pub(super) fn solarize(views: Tensor<4>, batch: &OnDevice) -> Tensor<4> {
    if batch.params().all(|params| params.solarize.is_none()) {
        return views;
    }
    let thresholds = batch.number(SOLARIZE).expand(views.dims());
    let mask = views.clone().greater_equal(thresholds).float();
    select(mask, views.clone().neg() + 1.0, views)
}

/// Paints each view's box, if it has one.
pub(super) fn erase(views: Tensor<4>, batch: &OnDevice) -> Tensor<4> {
    if batch.params().all(|params| params.erase.is_none()) {
        return views;
    }
    let inside = |axis: usize, [start, end]: [usize; 2]| {
        let places = batch.count(axis, batch.size).float();
        let after_start = places.clone().greater_equal(batch.number(start)).float();
        after_start * places.lower(batch.number(end)).float()
    };
    let mask = inside(3, [ERASE_LEFT, ERASE_RIGHT]) * inside(1, [ERASE_TOP, ERASE_BOTTOM]);
    select(mask, batch.channels(MEAN).clamp(0.0, 1.0), views)
}
