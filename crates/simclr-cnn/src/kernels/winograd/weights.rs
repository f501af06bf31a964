//! Weights at the 36 points, and their gradient back.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::transforms::{POINTS, both, weight, weight_transposed};
use crate::kernels::product::{STRIP, strips};

/// Which product the weights are for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the input to the output.
    Forward,
    /// From the output's gradient to the input's: turned by half a turn, channels swapped.
    Backward,
}

/// Weights `[channels_out, channels_in, 3, 3]` at the points: `[strip][point][inner][width]`, where the
/// strips are of the channels that come out of the product.
pub(super) struct PointWeights {
    pub(super) values: Vec<f32>,
    pub(super) inner: usize,
    pub(super) columns: usize,
}

impl PointWeights {
    pub(super) fn new(weights: &[f32], channels: [usize; 2], direction: Direction) -> Self {
        let [channels_out, channels_in] = channels;
        let (inner, columns) = match direction {
            Direction::Forward => (channels_in, channels_out),
            Direction::Backward => (channels_out, channels_in),
        };
        let mut values = vec![0.0; POINTS * inner * columns];
        let all = strips(columns);
        let chunks = values.par_chunks_mut(POINTS * inner * STRIP);
        chunks.zip(all.collect::<Vec<_>>()).for_each(|(values, (start, width))| {
            Arch::new().dispatch(ToPoints {
                weights, values, start, width, inner, channels_in, direction,
            });
        });
        Self { values, inner, columns }
    }

    /// The weights of one strip: `[point][inner][width]`.
    pub(super) fn strip(&self, start: usize, width: usize) -> &[f32] {
        &self.values[POINTS * self.inner * start..][..POINTS * self.inner * width]
    }
}

struct ToPoints<'a> {
    weights: &'a [f32],
    values: &'a mut [f32],
    start: usize,
    width: usize,
    inner: usize,
    channels_in: usize,
    direction: Direction,
}

impl WithSimd for ToPoints<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { weights, values, start, width, inner, channels_in, direction } = self;
        for k in 0..inner {
            for lane in (0..width).step_by(S::F32_LANES) {
                let mut taps = [[0.0; 16]; 9];
                for l in 0..S::F32_LANES {
                    let column = start + lane + l;
                    let at = match direction {
                        Direction::Forward => column * channels_in + k,
                        Direction::Backward => k * channels_in + column,
                    };
                    let nine: &[f32; 9] = weights[at * 9..].first_chunk().expect("nine weights");
                    for (tap, &w) in taps.iter_mut().zip(nine) {
                        tap[l] = w;
                    }
                }
                if direction == Direction::Backward {
                    taps.reverse();
                }
                let mut square = [[simd.splat_f32s(0.0); 3]; 3];
                for (tap, lanes) in square.as_flattened_mut().iter_mut().zip(&taps) {
                    *tap = simd.partial_load_f32s(&lanes[..S::F32_LANES]);
                }
                let points = both!(simd, square, weight, 3 => 6);
                for (point, &value) in points.as_flattened().iter().enumerate() {
                    let slot = &mut values[(point * inner + k) * width + lane..][..S::F32_LANES];
                    simd.partial_store_f32s(slot, value);
                }
            }
        }
    }
}

/// The gradient of weights `[channels_out, channels_in, 3, 3]` from that of the points,
/// `[strip][point][channels_in][width]`.
pub(super) fn gradient_of_weights(points: &[f32], channels: [usize; 2]) -> Vec<f32> {
    let [channels_out, channels_in] = channels;
    let mut gradient = vec![0.0; channels_out * channels_in * 9];
    let of_strip = points.par_chunks(POINTS * channels_in * STRIP);
    gradient.par_chunks_mut(STRIP * channels_in * 9).zip(of_strip).for_each(|(gradient, points)| {
        let width = gradient.len() / (channels_in * 9);
        Arch::new().dispatch(FromPoints { points, gradient, width, channels_in });
    });
    gradient
}

struct FromPoints<'a> {
    points: &'a [f32],
    gradient: &'a mut [f32],
    width: usize,
    channels_in: usize,
}

impl WithSimd for FromPoints<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { points, gradient, width, channels_in } = self;
        for k in 0..channels_in {
            for lane in (0..width).step_by(S::F32_LANES) {
                let mut square = [[simd.splat_f32s(0.0); 6]; 6];
                for (p, value) in square.as_flattened_mut().iter_mut().enumerate() {
                    let at = (p * channels_in + k) * width + lane;
                    *value = S::as_simd_f32s(&points[at..][..S::F32_LANES]).0[0];
                }
                let taps = both!(simd, square, weight_transposed, 6 => 3);
                let mut lanes = [[0.0; 16]; 9];
                for (lanes, &tap) in lanes.iter_mut().zip(taps.as_flattened()) {
                    simd.partial_store_f32s(&mut lanes[..S::F32_LANES], tap);
                }
                for l in 0..S::F32_LANES {
                    let slot = &mut gradient[((lane + l) * channels_in + k) * 9..][..9];
                    for (slot, lanes) in slot.iter_mut().zip(&lanes) {
                        *slot = lanes[l];
                    }
                }
            }
        }
    }
}
