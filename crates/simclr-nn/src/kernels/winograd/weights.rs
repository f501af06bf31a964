//! Weights at the 36 points, and their gradient back.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::points::{load_points, plane, store_points, vector, vector_mut};
use super::transforms::{POINTS, both, weight, weight_transposed};
use crate::kernels::PackedWeights;
use crate::kernels::memory::Lent;
use crate::kernels::product::{STRIP, strips};

/// How many numbers a strip has at the points.
pub(super) fn strip_len(weights: &PackedWeights, width: usize) -> usize {
    POINTS * plane(weights.inner, width)
}

/// All strips at the points. Each begins one full strip's length after the last.
pub(super) fn at_points(weights: &PackedWeights) -> Lent {
    let len = strip_len(weights, STRIP);
    let strips: Vec<_> = strips(weights.columns).collect();
    let mut points = Lent::new(len * strips.len());
    points.par_chunks_mut(len).zip(strips).for_each(|(points, (start, width))| {
        Arch::new().dispatch(ToPoints { weights, start, width, points });
    });
    points
}

/// Writes one strip at the points: `[point][inner][width]` in [planes](plane). For the gradient of the input, the kernel
/// is turned by 180 degrees.
pub(super) struct ToPoints<'a> {
    pub(super) weights: &'a PackedWeights,
    pub(super) start: usize,
    pub(super) width: usize,
    pub(super) points: &'a mut [f32],
}

impl WithSimd for ToPoints<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { weights, start, width, points } = self;
        let of_position = weights.inner * width;
        let strip = weights.strip(start, width);
        let plane = plane(weights.inner, width);
        for at in (0..of_position).step_by(S::F32_LANES) {
            let mut square = [[simd.splat_f32s(0.0); 3]; 3];
            for (tap, slot) in square.as_flattened_mut().iter_mut().enumerate() {
                let position = if weights.transposed { 8 - tap } else { tap };
                *slot = vector::<S>(strip, position * of_position + at);
            }
            let at_points = both!(simd, square, weight, 3 => 6);
            store_points::<S>(&at_points, points, plane, at);
        }
    }
}

/// Writes the gradient of a strip's weights, `[width, channels_in, 3, 3]`, from their gradient at the points,
/// `[point][channels_in][width]` in [planes](plane).
pub(super) struct FromPoints<'a> {
    pub(super) points: &'a [f32],
    pub(super) gradient: &'a mut [f32],
    pub(super) width: usize,
    pub(super) channels_in: usize,
}

impl WithSimd for FromPoints<'_> {
    /// Whether all of the gradient is finite.
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let Self { points, gradient, width, channels_in } = self;
        let plane = plane(channels_in, width);
        let zero = simd.splat_f32s(0.0);
        // x * 0 is 0 for every finite x.
        let mut check = zero;
        for k in 0..channels_in {
            for lane in (0..width).step_by(S::F32_LANES) {
                let square = load_points(simd, points, plane, k * width + lane);
                let taps = both!(simd, square, weight_transposed, 6 => 3);
                let mut lanes = [[0.0; 16]; 9];
                for (lanes, &tap) in lanes.iter_mut().zip(taps.as_flattened()) {
                    check = simd.mul_add_e_f32s(tap, zero, check);
                    *vector_mut::<S>(lanes, 0) = tap;
                }
                for l in 0..S::F32_LANES {
                    let slot = &mut gradient[((lane + l) * channels_in + k) * 9..][..9];
                    for (slot, lanes) in slot.iter_mut().zip(&lanes) {
                        *slot = lanes[l];
                    }
                }
            }
        }
        simd.reduce_sum_f32s(check) == 0.0
    }
}
