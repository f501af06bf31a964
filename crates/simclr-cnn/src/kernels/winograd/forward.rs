//! A convolution with stride 1 and a 3x3 kernel: also the one that gives the input's gradient.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::patches::{patches_to_points, plane};
use super::tiles::Tiles;
use super::transforms::{POINTS, TILE, both, output};
use super::weights::PointWeights;
use crate::kernels::product::{Order, Product, STRIP, Tap, strips};
use crate::kernels::scratch::with_scratch;

/// Bytes of a task's values at the points that stay in the second-level cache.
const CACHED: usize = 768 * 1024;
/// The same where the weights fill that cache anyway: enough tiles for each time they are read.
const SHARED: usize = 4096 * 1024;

/// Convolves `images` `[n, h, w, weights.inner]` into `result` `[n, h', w', weights.columns]`, and says
/// whether all of it is finite.
pub(super) fn convolve(
    tiles: &Tiles,
    images: &[f32],
    weights: &PointWeights,
    bias: Option<&[f32]>,
    result: &mut [f32],
) -> bool {
    let bytes = POINTS * (weights.inner + weights.columns.min(STRIP)) * 4;
    let budget = if weights.values.len() * 4 > CACHED { SHARED } else { CACHED };
    let tasks = tiles.tasks(budget / bytes);
    let row = tiles.output[1] * weights.columns;
    let mut rest = result;
    let mut work = Vec::with_capacity(tasks.len());
    for bands in tasks {
        let rows = tiles.rows_before(bands.end) - tiles.rows_before(bands.start);
        let (result, others) = rest.split_at_mut(rows * row);
        rest = others;
        work.push(Task { tiles, bands, images, weights, bias, result });
    }
    work.into_par_iter().map(Task::run).reduce(|| true, |a, b| a && b)
}

struct Task<'a> {
    tiles: &'a Tiles,
    bands: Range<usize>,
    images: &'a [f32],
    weights: &'a PointWeights,
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
        let Self { mut task, count, patches, products } = self;
            let inner = task.weights.inner;
            let of_task = task.tiles.of_bands(task.bands.clone());
            patches_to_points(simd, task.tiles, of_task, count, task.images, inner, patches);
            let mut finite = true;
            for (start, width) in strips(task.weights.columns) {
                let weights = task.weights.strip(start, width);
                for point in 0..POINTS {
                    let product = Product {
                        left: &patches[point * plane(count, inner)..],
                        order: Order::Rows,
                        right: &weights[point * inner * width..],
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
                finite &= task.write(simd, products, count, start, width);
            }
            finite
    }
}

impl Task<'_> {
    /// Aᵀ m A of each tile, written to one strip of the result.
    #[inline(always)]
    fn write<S: Simd>(
        &mut self,
        simd: S,
        products: &[f32],
        count: usize,
        start: usize,
        width: usize,
    ) -> bool {
        let lanes = S::F32_LANES;
        let plane = plane(count, width);
        let [height, across] = self.tiles.output;
        let first_row = self.tiles.rows_before(self.bands.start);
        let columns = self.weights.columns;
        // x * 0 is 0 for every finite x.
        let mut check = simd.splat_f32s(0.0);
        let zero = check;
        for (index, tile) in self.tiles.of_bands(self.bands.clone()).enumerate() {
            for lane in (0..width).step_by(lanes) {
                let mut square = [[zero; 6]; 6];
                for (p, value) in square.as_flattened_mut().iter_mut().enumerate() {
                    let at = p * plane + index * width + lane;
                    *value = S::as_simd_f32s(&products[at..][..lanes]).0[0];
                }
                let outputs = both!(simd, square, output, 6 => 4);
                let bias = match self.bias {
                    Some(bias) => simd.partial_load_f32s(&bias[start + lane..][..lanes]),
                    None => zero,
                };
                for (i, row) in outputs.iter().enumerate().take(TILE.min(height - tile.row)) {
                    let row_start = (tile.image * height + tile.row + i - first_row) * across;
                    for (j, &value) in row.iter().enumerate().take(TILE.min(across - tile.column)) {
                        let value = simd.add_f32s(value, bias);
                        check = simd.mul_add_e_f32s(value, zero, check);
                        let at = (row_start + tile.column + j) * columns + start + lane;
                        S::as_mut_simd_f32s(&mut self.result[at..][..lanes]).0[0] = value;
                    }
                }
            }
        }
        simd.reduce_sum_f32s(check) == 0.0
    }
}
