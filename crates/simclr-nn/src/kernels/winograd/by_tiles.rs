//! A convolution whose weights are held at the points: each task does some of the tiles with all weights.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::convolution::{Convolution, multiply};
use super::outputs::{Target, points_to_outputs};
use super::patches::patches_to_points;
use super::points::plane;
use super::transforms::POINTS;
use super::weights::{at_points, strip_len};
use crate::kernels::product::{STRIP, strips};
use crate::kernels::scratch::with_scratch;

/// Bytes of a task's values at the points that stay in the second-level cache.
const CACHED: usize = 768 * 1024;
/// The same where the weights fill that cache anyway: each time they are read, they serve enough tiles.
const SHARED: usize = 4096 * 1024;

/// Writes the output `[n, h', w', weights.columns]`, and returns whether all of it is finite.
pub(super) fn convolve(convolution: Convolution<'_>, result: &mut [f32]) -> bool {
    let Convolution { tiles, weights, .. } = convolution;
    let at_points = at_points(weights);
    let bytes = POINTS * (weights.inner + weights.columns.min(STRIP)) * 4;
    let budget = if at_points.len() * 4 > CACHED { SHARED } else { CACHED };
    let tasks = tiles.tasks(budget / bytes);
    let row = tiles.output[1] * weights.columns;
    let mut rest = result;
    let mut work = Vec::with_capacity(tasks.len());
    for bands in tasks {
        let (result, others) = rest.split_at_mut(tiles.rows(&bands) * row);
        rest = others;
        work.push(Task { convolution, bands, at_points: &at_points, result });
    }
    work.into_par_iter().map(Task::run).reduce(|| true, |a, b| a && b)
}

struct Task<'a> {
    convolution: Convolution<'a>,
    bands: Range<usize>,
    /// The weights at the points.
    at_points: &'a [f32],
    /// The output rows of the task's bands.
    result: &'a mut [f32],
}

impl Task<'_> {
    fn run(self) -> bool {
        let Self { convolution, bands, at_points, result } = self;
        let Convolution { tiles, weights, finish, .. } = convolution;
        let count = tiles.count(&bands);
        let of_patches = POINTS * plane(count, weights.inner);
        let before = tiles.rows_before(bands.start) * tiles.output[1] * weights.columns;
        let finite = with_scratch(of_patches + POINTS * plane(count, STRIP), |scratch| {
            let (patches, products) = scratch.split_at_mut(of_patches);
            let task = Task { convolution, bands, at_points, result: &mut *result };
            Arch::new().dispatch(InScratch { task, count, patches, products })
        });
        finish.apply(result, weights.columns, before);
        finite
    }
}

struct InScratch<'a, 'b> {
    task: Task<'a>,
    /// Tiles of the task.
    count: usize,
    patches: &'b mut [f32],
    products: &'b mut [f32],
}

impl WithSimd for InScratch<'_, '_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let Self { task, count, patches, products } = self;
        let Convolution { tiles, images, weights, .. } = task.convolution;
        let of_task = tiles.of_bands(task.bands.clone());
        patches_to_points(simd, tiles, of_task, count, images, weights.inner, patches);
        let mut target = Target { values: task.result, stride: weights.columns, start: 0 };
        let mut finite = true;
        for (start, width) in strips(weights.columns) {
            let at = start / STRIP * strip_len(weights, STRIP);
            multiply(simd, patches, &task.at_points[at..], [count, weights.inner, width], products);
            target.start = start;
            let bands = task.bands.clone();
            finite &= points_to_outputs(simd, tiles, bands, products, width, &mut target);
        }
        finite
    }
}
