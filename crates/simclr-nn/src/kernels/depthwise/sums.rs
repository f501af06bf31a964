//! The sums of one band.

use pulp::{Simd, WithSimd};

use super::phase::Phase;
use super::strip::{STRIPS, as_vectors, load, unrolled};
use super::weights::Weights;
use crate::kernels::padded::{Images, Window};

/// Outputs of a register tile.
const TILE: usize = 4;

/// Sums of products of a window's pixels with weights, for all pixels of a band.
pub(super) struct BandSums<'a> {
    pub(super) image: Images<'a>,
    pub(super) window: Window,
    pub(super) phases: &'a [Phase],
    /// What each channel's sums begin with.
    pub(super) initial: &'a Weights,
    /// Vectors for the window, and for the weights of a phase.
    pub(super) memory: &'a mut [f32],
    /// Pixels in a row of the target.
    pub(super) columns: usize,
    /// `[rows, columns, channels]`
    pub(super) target: &'a mut [f32],
}

impl WithSimd for BandSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels = self.image.channels;
        let rows = self.target.len() / channels / self.columns;
        let memory = as_vectors::<S>(self.memory);
        let of_strip = self.window.pixels();
        let (pixels, rest) = memory.split_at_mut(STRIPS * of_strip);
        for first in (0..channels).step_by(STRIPS * S::F32_LANES) {
            let together = first..channels.min(first + STRIPS * S::F32_LANES);
            self.image.copy_strips(simd, self.window, together.clone(), pixels);
            for (channel, pixels) in
                together.step_by(S::F32_LANES).zip(pixels.chunks_exact(of_strip))
            {
                for phase in self.phases {
                    let weights = &mut rest[..phase.rows.len() * phase.kernel];
                    for (slot, position) in weights.iter_mut().zip(phase.weights.positions()) {
                        *slot = load::<S>(position, channel);
                    }
                    let initial = self.initial.positions().next();
                    Strip {
                        phase,
                        outputs: phase.outputs(rows, self.columns),
                        pixels,
                        row: self.window.size[1],
                        weights,
                        initial: load::<S>(initial.expect("a number for each channel"), channel),
                        target: &mut self.target[channel..],
                        channels,
                        columns: self.columns,
                        lanes: S::F32_LANES.min(channels - channel),
                    }
                    .sum(simd);
                }
            }
        }
    }
}

/// One vector of channels of one phase.
struct Strip<'a, S: Simd> {
    phase: &'a Phase,
    /// Rows and columns of outputs.
    outputs: [usize; 2],
    /// The window.
    pixels: &'a [S::f32s],
    /// Pixels in a row of the window.
    row: usize,
    weights: &'a [S::f32s],
    initial: S::f32s,
    /// The band, from the strip's first channel on.
    target: &'a mut [f32],
    channels: usize,
    /// Pixels in a row of the target.
    columns: usize,
    /// Channels in the vector.
    lanes: usize,
}

impl<S: Simd> Strip<'_, S> {
    #[inline(always)]
    fn sum(mut self, simd: S) {
        let stride = self.phase.stride[1];
        match (self.phase.kernel, stride) {
            (1, 1) => self.rows::<1, 1>(simd),
            (2, 1) => self.rows::<2, 1>(simd),
            (3, 1) => self.rows::<3, 1>(simd),
            (5, 1) => self.rows::<5, 1>(simd),
            (7, 1) => self.rows::<7, 1>(simd),
            (3, 2) => self.rows::<3, 2>(simd),
            (5, 2) => self.rows::<5, 2>(simd),
            _ => self.any(simd),
        }
    }

    /// All outputs, tile by tile.
    #[inline(always)]
    fn rows<const KERNEL: usize, const STRIDE: usize>(&mut self, simd: S) {
        let [rows, columns] = self.outputs;
        for y in 0..rows {
            for x in (0..columns).step_by(TILE) {
                match columns - x {
                    1 => self.tile::<KERNEL, STRIDE, 1>(simd, y, x),
                    2 => self.tile::<KERNEL, STRIDE, 2>(simd, y, x),
                    3 => self.tile::<KERNEL, STRIDE, 3>(simd, y, x),
                    _ => self.tile::<KERNEL, STRIDE, TILE>(simd, y, x),
                }
            }
        }
    }

    #[inline(always)]
    fn tile<const KERNEL: usize, const STRIDE: usize, const OUTPUTS: usize>(
        &mut self,
        simd: S,
        y: usize,
        x: usize,
    ) {
        let mut sums = [self.initial; OUTPUTS];
        let column = x * STRIDE + self.phase.column;
        let weights = self.weights.chunks_exact(KERNEL);
        for (offset, weights) in self.phase.rows.iter().zip(weights) {
            let start = (y * self.phase.stride[0] + offset) * self.row + column;
            let pixels = &self.pixels[start..start + (OUTPUTS - 1) * STRIDE + KERNEL];
            unrolled!(j < KERNEL, {
                unrolled!(t < OUTPUTS, {
                    sums[t] = simd.mul_add_e_f32s(pixels[t * STRIDE + j], weights[j], sums[t]);
                });
            });
        }
        unrolled!(t < OUTPUTS, self.store(simd, y, x + t, sums[t]));
    }

    /// All outputs, with any kernel and stride.
    #[inline(always)]
    fn any(&mut self, simd: S) {
        let Phase { stride, kernel, column, .. } = *self.phase;
        let [rows, columns] = self.outputs;
        for y in 0..rows {
            for x in 0..columns {
                let mut sum = self.initial;
                for (index, offset) in self.phase.rows.iter().enumerate() {
                    let start = (y * stride[0] + offset) * self.row + x * stride[1] + column;
                    let pixels = &self.pixels[start..start + kernel];
                    let weights = &self.weights[index * kernel..][..kernel];
                    for (&pixel, &weight) in pixels.iter().zip(weights) {
                        sum = simd.mul_add_e_f32s(pixel, weight, sum);
                    }
                }
                self.store(simd, y, x, sum);
            }
        }
    }

    #[inline(always)]
    fn store(&mut self, simd: S, y: usize, x: usize, sum: S::f32s) {
        let Phase { place, step, .. } = *self.phase;
        let pixel = (place[0] + y * step[0]) * self.columns + place[1] + x * step[1];
        let target = &mut self.target[pixel * self.channels..];
        if self.lanes == S::F32_LANES {
            S::as_mut_simd_f32s(&mut target[..S::F32_LANES]).0[0] = sum;
        } else {
            simd.partial_store_f32s(&mut target[..self.lanes], sum);
        }
    }
}
