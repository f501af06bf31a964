//! What one band of an output's gradient adds to the gradient of the weights.

use pulp::{Simd, WithSimd};

use super::strip::{STRIPS, as_vectors, load, unrolled};
use crate::kernels::padded::{Images, Window};

/// Adds the products of a band's gradients with the input pixels that each weight met.
pub(super) struct BandWeightSums<'a> {
    pub(super) image: Images<'a>,
    pub(super) window: Window,
    /// Height and width of the kernel.
    pub(super) kernel: [usize; 2],
    pub(super) stride: [usize; 2],
    /// Vectors for the window.
    pub(super) memory: &'a mut [f32],
    /// `[rows, columns, channels]`
    pub(super) gradient: &'a [f32],
    pub(super) columns: usize,
    /// `[kh, kw, channels]`
    pub(super) sums: &'a mut [f32],
}

impl WithSimd for BandWeightSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let channels = self.image.channels;
        let of_strip = self.window.pixels();
        let pixels = &mut as_vectors::<S>(self.memory)[..STRIPS * of_strip];
        for first in (0..channels).step_by(STRIPS * S::F32_LANES) {
            let together = first..channels.min(first + STRIPS * S::F32_LANES);
            self.image.copy_strips(simd, self.window, together.clone(), pixels);
            for (channel, pixels) in
                together.step_by(S::F32_LANES).zip(pixels.chunks_exact(of_strip))
            {
                Strip {
                    pixels,
                    row: self.window.size[1],
                    stride: self.stride,
                    gradient: &self.gradient[channel..],
                    channels,
                    columns: self.columns,
                    lanes: S::F32_LANES.min(channels - channel),
                    sums: &mut self.sums[channel..],
                }
                .add(simd, self.kernel);
            }
        }
    }
}

/// One vector of channels.
struct Strip<'a, S: Simd> {
    /// The window.
    pixels: &'a [S::f32s],
    /// Pixels in a row of the window.
    row: usize,
    stride: [usize; 2],
    /// The band's gradients, from the strip's first channel on.
    gradient: &'a [f32],
    channels: usize,
    /// Pixels in a row of gradients.
    columns: usize,
    /// Channels in the vector.
    lanes: usize,
    /// `[kh, kw, channels]`, from the strip's first channel on.
    sums: &'a mut [f32],
}

impl<S: Simd> Strip<'_, S> {
    #[inline(always)]
    fn add(mut self, simd: S, kernel: [usize; 2]) {
        // All sums of a kernel of 5 x 5 fit the registers of AVX-512 and NEON, but not the 16 of AVX2.
        let many = S::F32_LANES != 8;
        match (kernel, self.stride[1]) {
            ([3, 3], 1) => self.rows::<3, 3, 1>(simd, 0),
            ([3, 3], 2) => self.rows::<3, 3, 2>(simd, 0),
            ([5, 5], 1) if many => self.rows::<5, 5, 1>(simd, 0),
            ([5, 5], 2) if many => self.rows::<5, 5, 2>(simd, 0),
            // Those of 7 x 7 in two halves, with four rows and with three.
            ([7, 7], 1) if many => {
                self.rows::<4, 7, 1>(simd, 0);
                self.rows::<3, 7, 1>(simd, 4);
            }
            (_, stride) => {
                for i in 0..kernel[0] {
                    match (kernel[1], stride) {
                        (5, 1) => self.rows::<1, 5, 1>(simd, i),
                        (5, 2) => self.rows::<1, 5, 2>(simd, i),
                        (7, 1) => self.rows::<1, 7, 1>(simd, i),
                        _ => self.any(simd, i, kernel[1]),
                    }
                }
            }
        }
    }

    /// Adds to the sums of `ROWS` rows of the kernel, from row `first` on.
    #[inline(always)]
    fn rows<const ROWS: usize, const KERNEL: usize, const STRIDE: usize>(
        &mut self,
        simd: S,
        first: usize,
    ) {
        let mut sums = [[simd.splat_f32s(0.0); KERNEL]; ROWS];
        let of_row = (self.columns - 1) * STRIDE + KERNEL;
        let rows = self.gradient.len().div_ceil(self.channels) / self.columns;
        for y in 0..rows {
            let mut pixels = [self.pixels; ROWS];
            for i in 0..ROWS {
                let start = (y * self.stride[0] + first + i) * self.row;
                pixels[i] = &self.pixels[start..start + of_row];
            }
            for x in 0..self.columns {
                let gradient = self.gradient(simd, y, x);
                unrolled!(i < ROWS, {
                    let pixels = &pixels[i][x * STRIDE..][..KERNEL];
                    unrolled!(j < KERNEL, {
                        sums[i][j] = simd.mul_add_e_f32s(pixels[j], gradient, sums[i][j]);
                    });
                });
            }
        }
        unrolled!(i < ROWS, {
            unrolled!(j < KERNEL, self.store(simd, (first + i) * KERNEL + j, sums[i][j]));
        });
    }

    /// Adds to the sums of row `i` of a kernel of any width.
    #[inline(always)]
    fn any(&mut self, simd: S, i: usize, kernel: usize) {
        let rows = self.gradient.len().div_ceil(self.channels) / self.columns;
        for j in 0..kernel {
            let mut sum = simd.splat_f32s(0.0);
            for y in 0..rows {
                let row = &self.pixels[(y * self.stride[0] + i) * self.row + j..];
                for x in 0..self.columns {
                    let gradient = self.gradient(simd, y, x);
                    sum = simd.mul_add_e_f32s(row[x * self.stride[1]], gradient, sum);
                }
            }
            self.store(simd, i * kernel + j, sum);
        }
    }

    #[inline(always)]
    fn gradient(&self, simd: S, y: usize, x: usize) -> S::f32s {
        let at = (y * self.columns + x) * self.channels;
        if self.lanes == S::F32_LANES {
            load::<S>(self.gradient, at)
        } else {
            simd.partial_load_f32s(&self.gradient[at..at + self.lanes])
        }
    }

    /// Adds `sum` to the sum of a kernel position.
    #[inline(always)]
    fn store(&mut self, simd: S, position: usize, sum: S::f32s) {
        let slot = &mut self.sums[position * self.channels..][..self.lanes];
        match S::as_mut_simd_f32s(slot).0 {
            [slot] => *slot = simd.add_f32s(*slot, sum),
            _ => simd.partial_store_f32s(slot, simd.add_f32s(simd.partial_load_f32s(slot), sum)),
        }
    }
}
