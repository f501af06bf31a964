use burn::tensor::{Device, Tensor, TensorData};

use super::per_view::{of_each_view, select};
use crate::draw::{JitterFlavor, JitterParams, JitterStep, ViewParams};
use crate::weights::GRAY;

/// The smallest divisor in place of a chroma of zero: less than any other chroma.
const SMALLEST_CHROMA: f32 = 1e-20;

/// The colour jitter of each view, in its own order: `[n, y, 3, x]` in, the same out.
///
/// The first operations of all views run together, then the second ones, and so on. Brightness,
/// contrast and torch's saturation are one formula with different numbers; a view with another operation,
/// or none, has numbers that leave it as it is.
pub(super) fn jitter(mut views: Tensor<4>, params: &[&ViewParams]) -> Tensor<4> {
    for place in 0..4 {
        let ops: Vec<_> =
            params.iter().map(|p| p.jitter.as_ref().map(|j| (j.order[place], j))).collect();
        views = blend(views, &ops);
        views = scale_saturation(views, &ops);
        views = turn_hue(views, &ops);
    }
    views
}

/// One view's operation, if it has a jitter.
type Op<'a> = Option<(JitterStep, &'a JitterParams)>;

/// One number for each view that has one, `neutral` for the others; `None` if no view has one.
fn numbers<'a>(
    ops: &[Op<'a>],
    neutral: f32,
    number: impl Fn(JitterStep, &'a JitterParams) -> Option<f32>,
) -> Option<Vec<f32>> {
    let found: Vec<_> =
        ops.iter().map(|op| op.and_then(|(step, jitter)| number(step, jitter))).collect();
    let any = found.iter().any(Option::is_some);
    any.then(|| found.into_iter().map(|number| number.unwrap_or(neutral)).collect())
}

/// `factor * view + delta`, plus a share of the channels' means, of the gray mean or of the gray view.
fn blend(views: Tensor<4>, ops: &[Op]) -> Tensor<4> {
    use JitterFlavor::{GoogleV1, Torchvision};
    let device = views.device();
    let factors = numbers(ops, 1.0, |step, jitter| match step {
        JitterStep::Brightness if jitter.flavor != GoogleV1 => Some(jitter.brightness),
        JitterStep::Contrast => Some(jitter.contrast),
        JitterStep::Saturation if jitter.flavor == Torchvision => Some(jitter.saturation),
        _ => None,
    });
    let deltas = numbers(ops, 0.0, |step, jitter| {
        (step == JitterStep::Brightness && jitter.flavor == GoogleV1).then_some(jitter.brightness)
    });
    let of_mean = numbers(ops, 0.0, |step, jitter| {
        let has = step == JitterStep::Contrast && jitter.flavor != Torchvision;
        has.then_some(1.0 - jitter.contrast)
    });
    let of_gray_mean = numbers(ops, 0.0, |step, jitter| {
        let has = step == JitterStep::Contrast && jitter.flavor == Torchvision;
        has.then_some(1.0 - jitter.contrast)
    });
    let of_gray = numbers(ops, 0.0, |step, jitter| {
        let has = step == JitterStep::Saturation && jitter.flavor == Torchvision;
        has.then_some(1.0 - jitter.saturation)
    });
    if factors.is_none() && deltas.is_none() {
        return views;
    }
    let gray = || gray_of(views.clone());
    let mut sum = views.clone();
    if let Some(factors) = factors {
        sum = sum * of_each_view(factors, &device);
    }
    if let Some(deltas) = deltas {
        sum = sum + of_each_view(deltas, &device);
    }
    if let Some(shares) = of_mean {
        sum = sum + views.clone().mean_dim(1).mean_dim(3) * of_each_view(shares, &device);
    }
    if let Some(shares) = of_gray_mean {
        sum = sum + gray().mean_dim(1).mean_dim(3) * of_each_view(shares, &device);
    }
    if let Some(shares) = of_gray {
        sum = sum + gray() * of_each_view(shares, &device);
    }
    sum.clamp(0.0, 1.0)
}

/// Google's saturation, as `scale_saturation` computes it on the CPU.
fn scale_saturation(views: Tensor<4>, ops: &[Op]) -> Tensor<4> {
    let factors = numbers(ops, 1.0, |step, jitter| {
        let has = step == JitterStep::Saturation && jitter.flavor != JitterFlavor::Torchvision;
        has.then_some(jitter.saturation)
    });
    let Some(factors) = factors else { return views };
    let factors = of_each_view(factors, &views.device());
    let value = views.clone().max_dim(2);
    let chroma = value.clone() - views.clone().min_dim(2);
    let largest = value.clone() / chroma.clamp_min(SMALLEST_CHROMA);
    let factors = factors.expand(largest.dims()).min_pair(largest); // [n, y, 1, x]
    (value.clone() - (value - views) * factors).clamp(0.0, 1.0)
}

/// The steps of `turn_hue` on the CPU, with masks for its selections.
fn turn_hue(views: Tensor<4>, ops: &[Op]) -> Tensor<4> {
    let turns = numbers(ops, 0.0, |step, jitter| (step == JitterStep::Hue).then_some(jitter.hue));
    let Some(turns) = turns else { return views };
    let device = views.device();
    let turned = turns.iter().map(|&turn| f32::from(u8::from(turn != 0.0))).collect();
    let sixths = of_each_view(turns.into_iter().map(|turn| 6.0 * turn).collect(), &device);

    let [red, green, blue] = channels(&views); // [n, y, 1, x] each
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
    let new = Tensor::cat(vec![channel(5.0), channel(3.0), channel(1.0)], 2);
    select(of_each_view(turned, &device), new, views)
}

/// A full turn, six sixths, is none.
fn wrap(sixths: Tensor<4>) -> Tensor<4> {
    sixths.clone() - sixths.greater_equal_elem(6.0).float() * 6.0
}

/// Red, green and blue of `[n, y, 3, x]`, with one channel each.
fn channels(views: &Tensor<4>) -> [Tensor<4>; 3] {
    [0, 1, 2].map(|channel| views.clone().narrow(2, channel, 1))
}

fn gray_of(views: Tensor<4>) -> Tensor<4> {
    let weights = TensorData::new(GRAY.to_vec(), [1, 1, 3, 1]);
    let weights = Tensor::from_data(weights, &views.device());
    (views * weights).sum_dim(2)
}

/// Turns the views gray that are to lose their colour.
pub(super) fn gray(views: Tensor<4>, params: &[&ViewParams]) -> Tensor<4> {
    if !params.iter().any(|params| params.grayscale) {
        return views;
    }
    let mask = params.iter().map(|params| f32::from(u8::from(params.grayscale))).collect();
    select(of_each_view(mask, &views.device()), gray_of(views.clone()), views)
}

/// Inverts the values of at least each view's threshold.
pub(super) fn solarize(views: Tensor<4>, params: &[&ViewParams]) -> Tensor<4> {
    if params.iter().all(|params| params.solarize.is_none()) {
        return views;
    }
    // No value of a view that is not solarised reaches 2.
    let thresholds = params.iter().map(|p| p.solarize.unwrap_or(2.0)).collect();
    let thresholds = of_each_view(thresholds, &views.device());
    let mask = views.clone().greater_equal(thresholds.expand(views.dims())).float();
    select(mask, views.clone().neg() + 1.0, views)
}

/// Paints each view's box, if it has one.
pub(super) fn erase(views: Tensor<4>, params: &[&ViewParams], mean: [f32; 3]) -> Tensor<4> {
    if params.iter().all(|params| params.erase.is_none()) {
        return views;
    }
    let device = views.device();
    let [n, size, ..] = views.dims();
    let inside = |start: u32, len: u32| {
        let place = start as usize..(start + len) as usize;
        (0..size).map(move |index| f32::from(u8::from(place.contains(&index))))
    };
    let boxes = || params.iter().map(|p| p.erase.map_or([0; 4], |b| [b.x, b.width, b.y, b.height]));
    let columns = boxes().flat_map(|[x, width, ..]| inside(x, width)).collect();
    let rows = boxes().flat_map(|[.., y, height]| inside(y, height)).collect();
    let mask = tensor(columns, [n, 1, 1, size], &device) * tensor(rows, [n, size, 1, 1], &device);
    let color = mean.map(|mean| mean.clamp(0.0, 1.0)).to_vec();
    select(mask, tensor(color, [1, 1, 3, 1], &device), views)
}

fn tensor(values: Vec<f32>, shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, shape), device)
}
