//! Weights at the 36 points, and their gradient back.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::points::{load_points, plane, store_points, vector, vector_mut};
use super::transforms::{POINTS, both, weight, weight_transposed};
use crate::kernels::product::{STRIP, strips};
use crate::kernels::scratch::Shared;

/// Inner channels whose weights are gathered at a time.
const INNER: usize = 8;

/// The product that the weights are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the input to the output.
    Forward,
    /// From the output's gradient to the input's: the kernel is turned by 180 degrees, and the channels are swapped.
    Backward,
}

/// Weights `[channels_out, channels_in, 3, 3]`, to be taken to the points.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    pub(super) values: &'a [f32],
    channels_in: usize,
    direction: Direction,
    /// Channels that the product sums over.
    pub(super) inner: usize,
    /// Channels that come out of the product.
    pub(super) columns: usize,
}

impl<'a> Weights<'a> {
    pub(super) fn new(values: &'a [f32], channels: [usize; 2], direction: Direction) -> Self {
        let [channels_out, channels_in] = channels;
        let (inner, columns) = match direction {
            Direction::Forward => (channels_in, channels_out),
            Direction::Backward => (channels_out, channels_in),
        };
        Self { values, channels_in, direction, inner, columns }
    }

    /// How many numbers a strip has at the points.
    pub(super) fn strip_len(&self, width: usize) -> usize {
        POINTS * plane(self.inner, width)
    }

    /// All strips at the points. Each begins one full strip's length after the last.
    pub(super) fn at_points(&self) -> Shared {
        let len = self.strip_len(STRIP);
        let strips: Vec<_> = strips(self.columns).collect();
        let mut points = Shared::new(len * strips.len());
        points.par_chunks_mut(len).zip(strips).for_each(|(points, (start, width))| {
            Arch::new().dispatch(ToPoints { weights: *self, start, width, points });
        });
        points
    }
}

/// Writes one strip at the points: `[point][inner][width]` in [planes](plane).
pub(super) struct ToPoints<'a> {
    pub(super) weights: Weights<'a>,
    pub(super) start: usize,
    pub(super) width: usize,
    pub(super) points: &'a mut [f32],
}

impl WithSimd for ToPoints<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { weights, start, width, points } = self;
        let Weights { values, channels_in, direction, inner, .. } = weights;
        let plane = plane(inner, width);
        // The weights of `INNER` channels for each lane, in the order in which they lie.
        let mut block = [[0.0; INNER * 9]; 16];
        for lane in (0..width).step_by(S::F32_LANES) {
            for first in (0..inner).step_by(INNER) {
                let count = INNER.min(inner - first);
                for (l, block) in block.iter_mut().enumerate().take(S::F32_LANES) {
                    let column = start + lane + l;
                    if direction == Direction::Forward {
                        let at = (column * channels_in + first) * 9;
                        block[..count * 9].copy_from_slice(&values[at..at + count * 9]);
                    } else {
                        for (k, nine) in block.chunks_exact_mut(9).enumerate().take(count) {
                            let at = ((first + k) * channels_in + column) * 9;
                            nine.copy_from_slice(&values[at..at + 9]);
                        }
                    }
                }
                for k in 0..count {
                    let mut square = [[simd.splat_f32s(0.0); 3]; 3];
                    for (tap, slot) in square.as_flattened_mut().iter_mut().enumerate() {
                        let turned = if direction == Direction::Forward { tap } else { 8 - tap };
                        let mut lanes = [0.0; 16];
                        for l in 0..S::F32_LANES {
                            lanes[l] = block[l][k * 9 + turned];
                        }
                        *slot = vector::<S>(&lanes, 0);
                    }
                    let at_points = both!(simd, square, weight, 3 => 6);
                    store_points::<S>(&at_points, points, plane, (first + k) * width + lane);
                }
            }
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
