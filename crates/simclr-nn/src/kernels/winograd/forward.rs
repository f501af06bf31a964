//! A convolution with stride 1 and a 3x3 kernel: also the one that gives the input's gradient.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::outputs::{Target, points_to_outputs};
use super::patches::{patches_to_points, plane};
use super::tiles::Tiles;
use super::transforms::POINTS;
use super::weights::Weights;
use crate::kernels::product::{Order, Product, STRIP, Tap, strips};
use crate::kernels::scratch::with_scratch;

/// Bytes of a task's values at the points that stay in the second-level cache.
const CACHED: usize = 768 * 1024;
/// The same where the weights fill that cache anyway: enough tiles for each time they are read.
const SHARED: usize = 4096 * 1024;

/// Convolves `images` `[n, h, w, weights.inner]` into `result` `[n, h', w', weights.columns]`, and says
/// whether all of it is finite. Each task does some tiles with all weights.
pub(super) fn convolve(
    tiles: &Tiles,
    images: &[f32],
    weights: Weights<'_>,
    bias: Option<&[f32]>,
    result: &mut [f32],
) -> bool {
    let at_points = weights.at_points();
    let bytes = POINTS * (weights.inner + weights.columns.min(STRIP)) * 4;
    let budget = if at_points.len() * 4 > CACHED { SHARED } else { CACHED };
    let tasks = tiles.tasks(budget / bytes);
    let row = tiles.output[1] * weights.columns;
    let mut rest = result;
    let mut work = Vec::with_capacity(tasks.len());
    for bands in tasks {
        let rows = tiles.rows_before(bands.end) - tiles.rows_before(bands.start);
        let (result, others) = rest.split_at_mut(rows * row);
        rest = others;
        work.push(Task { tiles, bands, images, weights, at_points: &at_points, bias, result });
    }
    work.into_par_iter().map(Task::run).reduce(|| true, |a, b| a && b)
}

struct Task<'a> {
    tiles: &'a Tiles,
    bands: Range<usize>,
    images: &'a [f32],
    weights: Weights<'a>,
    at_points: &'a [f32],
    bias: Option<&'a [f32]>,
    /// The output rows of the task's bands.
    result: &'a mut [f32],
}

impl Task<'_> {
    fn run(self) -> bool {
        let count = self.bands.len() * self.tiles.across();
        let of_patches = POINTS * plane(count, self.weights.inner);
        with_scratch(of_patches + POINTS * plane(count, STRIP), |scratch| {
            let (patches, products) = scratch.split_at_mut(of_patches);
            Arch::new().dispatch(InScratch { task: self, count, patches, products })
        })
    }
}

struct InScratch<'a, 'b> {
    task: Task<'a>,
    count: usize,
    patches: &'b mut [f32],
    products: &'b mut [f32],
}

impl WithSimd for InScratch<'_, '_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let Self { task, count, patches, products } = self;
        let Weights { inner, columns, .. } = task.weights;
        let of_task = task.tiles.of_bands(task.bands.clone());
        patches_to_points(simd, task.tiles, of_task, count, task.images, inner, patches);
        let mut target = Target { values: task.result, stride: columns, start: 0 };
        let mut finite = true;
        for (start, width) in strips(columns) {
            let at = start / STRIP * task.weights.strip_len(STRIP);
            multiply(simd, patches, &task.at_points[at..], [count, inner, width], products);
            let bias = task.bias.map(|bias| &bias[start..start + width]);
            target.start = start;
            let (tiles, bands) = (task.tiles, task.bands.clone());
            finite &= points_to_outputs(simd, tiles, bands, products, width, bias, &mut target);
        }
        finite
    }
}

/// At each point, `[tiles, inner]` times `[inner, width]`.
#[inline(always)]
pub(super) fn multiply<S: Simd>(
    simd: S,
    patches: &[f32],
    weights: &[f32],
    [count, inner, width]: [usize; 3],
    products: &mut [f32],
) {
    for point in 0..POINTS {
        let product = Product {
            left: &patches[point * plane(count, inner)..],
            order: Order::Rows,
            right: &weights[point * plane(inner, width)..],
            right_stride: width,
            taps: &[Tap { left: 0, right: 0 }],
            run: inner,
            rows: count,
            place: |row| (row * inner, row * width),
            width,
            columns: width,
            target: &mut products[point * plane(count, width)..],
            add: false,
        };
        product.with_simd(simd);
    }
}
