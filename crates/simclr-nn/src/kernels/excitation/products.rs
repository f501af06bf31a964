//! Products of a matrix and a vector.

use pulp::{Simd, WithSimd};

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

/// Adds `factor` times `more` to `sums`, inside code that is dispatched.
#[inline(always)]
pub(super) fn add_times(sums: &mut [f32], factor: f32, more: &[f32]) {
    for (sum, &more) in sums.iter_mut().zip(more) {
        *sum += factor * more;
    }
}
