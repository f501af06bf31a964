//! Products of matrices and vectors, and sums over pixels, in vector code.
//!
//! They are types and not closures: the compiler leaves large closures outside of the vector code.

use pulp::{Arch, Simd, WithSimd};

use crate::kernels::exp::sigmoid;
use crate::kernels::norm::{block, folded, zeros};

/// `result`: the product of each row of `matrix`, `[rows, columns]`, with `vector`.
pub(super) struct RowProducts<'a> {
    pub(super) matrix: &'a [f32],
    pub(super) vector: &'a [f32],
    pub(super) result: &'a mut [f32],
}

impl WithSimd for RowProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (vectors, rest) = S::as_simd_f32s(self.vector);
        let rest = simd.partial_load_f32s(rest);
        let rows = self.matrix.chunks_exact(self.vector.len());
        for (slot, row) in self.result.iter_mut().zip(rows) {
            let (row, end) = S::as_simd_f32s(row);
            let mut even = simd.mul_f32s(rest, simd.partial_load_f32s(end));
            let mut odd = simd.splat_f32s(0.0);
            for (row, vectors) in row.chunks(2).zip(vectors.chunks(2)) {
                even = simd.mul_add_e_f32s(row[0], vectors[0], even);
                if row.len() > 1 {
                    odd = simd.mul_add_e_f32s(row[1], vectors[1], odd);
                }
            }
            *slot = simd.reduce_sum_f32s(simd.add_f32s(even, odd));
        }
    }
}

/// Adds the rows of `matrix`, `[rows, columns]`, to `sums`, each times its factor.
pub(super) struct AddRows<'a, I> {
    pub(super) rows: I,
    pub(super) sums: &'a mut [f32],
}

impl<'r, I: Iterator<Item = (f32, &'r [f32])>> WithSimd for AddRows<'_, I> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (factor, row) in self.rows {
            for (sum, &x) in self.sums.iter_mut().zip(row) {
                *sum += factor * x;
            }
        }
    }
}

/// `pixels` `[pixels, channels]` times `factors` plus `shifts`, `[channels]` each, in place.
pub(super) struct ScaleAndShift<'a> {
    pub(super) pixels: &'a mut [f32],
    pub(super) factors: &'a [f32],
    pub(super) shifts: &'a [f32],
}

impl WithSimd for ScaleAndShift<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for pixel in self.pixels.chunks_exact_mut(self.factors.len()) {
            let coefficients = self.factors.iter().zip(self.shifts);
            for (x, (factor, shift)) in pixel.iter_mut().zip(coefficients) {
                *x = *x * factor + shift;
            }
        }
    }
}

/// `pixels` `[pixels, channels]` times `factors`, `[channels]`, into `result`.
pub(super) struct Scaled<'a> {
    pub(super) pixels: &'a [f32],
    pub(super) factors: &'a [f32],
    pub(super) result: &'a mut [f32],
}

impl WithSimd for Scaled<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let pixels = self.pixels.chunks_exact(self.factors.len());
        for (result, pixel) in self.result.chunks_exact_mut(self.factors.len()).zip(pixels) {
            for ((y, x), factor) in result.iter_mut().zip(pixel).zip(self.factors) {
                *y = x * factor;
            }
        }
    }
}

/// Replaces each number by its sigmoid.
pub(super) struct Sigmoids<'a>(pub(super) &'a mut [f32]);

impl WithSimd for Sigmoids<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for x in self.0 {
            *x = sigmoid(*x);
        }
    }
}

/// The sum of each channel over `[pixels, channels]`: of the values, or of their products with `others`.
pub(super) fn channel_sums(values: &[f32], others: Option<&[f32]>, channels: usize) -> Vec<f64> {
    let mut all = vec![0.0; channels];
    let block = block(channels);
    for (index, values) in values.chunks(block).enumerate() {
        let others = others.map(|others| &others[index * block..][..values.len()]);
        let mut sums = zeros(channels);
        Arch::new().dispatch(BlockSums { values, others, sums: &mut sums });
        for (slot, sum) in all.iter_mut().zip(folded(&sums, channels)) {
            *slot += sum;
        }
    }
    all
}

/// Adds whole pixels to a period of sums.
struct BlockSums<'a> {
    values: &'a [f32],
    others: Option<&'a [f32]>,
    sums: &'a mut [f32],
}

impl WithSimd for BlockSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let period = self.sums.len();
        let Some(others) = self.others else {
            for values in self.values.chunks(period) {
                for (sum, x) in self.sums.iter_mut().zip(values) {
                    *sum += x;
                }
            }
            return;
        };
        for (values, others) in self.values.chunks(period).zip(others.chunks(period)) {
            for ((sum, x), y) in self.sums.iter_mut().zip(values).zip(others) {
                *sum += x * y;
            }
        }
    }
}
