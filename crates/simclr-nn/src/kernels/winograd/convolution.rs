//! A convolution with stride 1 and a 3x3 kernel: the output's, or the one that gives the input's gradient.

use pulp::{Simd, WithSimd};

use super::points::plane;
use super::tiles::Tiles;
use super::transforms::POINTS;
use crate::kernels::product::{LeftOrder, Product, Tap};
use crate::kernels::{Finish, PackedWeights};

/// What is convolved with what.
#[derive(Clone, Copy)]
pub(super) struct Convolution<'a> {
    pub(super) tiles: &'a Tiles,
    /// `[n, h, w, weights.inner]`.
    pub(super) images: &'a [f32],
    pub(super) weights: &'a PackedWeights,
    pub(super) finish: Finish<'a>,
}

/// At each point, the product of `patches`, `[tiles, inner]`, and `weights`, `[inner, width]`.
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
            order: LeftOrder::Rows,
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
