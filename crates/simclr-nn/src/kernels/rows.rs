//! Sums and maxima of rows, as vector code: the compiler doesn't reorder additions, and so makes none of a plain loop.

use pulp::{Arch, Simd, WithSimd};

/// Vectors that are added at a time, each to a sum of its own: enough to hide the latency of an addition.
const SUMS: usize = 4;

/// The sum of `row`.
pub(super) fn sum(row: &[f32]) -> f32 {
    Arch::new().dispatch(Sum(row))
}

/// The sum of the products of `row` minus `centre` with `other` minus `other_centre`.
pub(super) fn sum_of_products(row: &[f32], centre: f32, other: &[f32], other_centre: f32) -> f32 {
    Arch::new().dispatch(SumOfProducts { row, centre, other, other_centre })
}

/// The largest number of `row`. NaN is no number to compare with.
pub(super) fn maximum(row: &[f32]) -> f32 {
    Arch::new().dispatch(Maximum(row))
}

struct Sum<'a>(&'a [f32]);

impl WithSimd for Sum<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (vectors, tail) = S::as_simd_f32s(self.0);
        let (groups, rest) = vectors.as_chunks::<SUMS>();
        let mut sums = [simd.splat_f32s(0.0); SUMS];
        for group in groups {
            for i in 0..SUMS {
                sums[i] = simd.add_f32s(sums[i], group[i]);
            }
        }
        for (sum, &x) in sums.iter_mut().zip(rest) {
            *sum = simd.add_f32s(*sum, x);
        }
        joined(simd, sums) + tail.iter().sum::<f32>()
    }
}

struct SumOfProducts<'a> {
    row: &'a [f32],
    centre: f32,
    other: &'a [f32],
    other_centre: f32,
}

impl WithSimd for SumOfProducts<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let Self { row, centre, other, other_centre } = self;
        let [c, d] = [simd.splat_f32s(centre), simd.splat_f32s(other_centre)];
        let (vectors, tail) = S::as_simd_f32s(row);
        let (others, other_tail) = S::as_simd_f32s(other);
        let (groups, rest) = vectors.as_chunks::<SUMS>();
        let (other_groups, other_rest) = others.as_chunks::<SUMS>();
        let mut sums = [simd.splat_f32s(0.0); SUMS];
        for (x, y) in groups.iter().zip(other_groups) {
            for i in 0..SUMS {
                let (x, y) = (simd.sub_f32s(x[i], c), simd.sub_f32s(y[i], d));
                sums[i] = simd.mul_add_e_f32s(x, y, sums[i]);
            }
        }
        for (sum, (&x, &y)) in sums.iter_mut().zip(rest.iter().zip(other_rest)) {
            *sum = simd.mul_add_e_f32s(simd.sub_f32s(x, c), simd.sub_f32s(y, d), *sum);
        }
        let tails = tail.iter().zip(other_tail);
        joined(simd, sums) + tails.map(|(x, y)| (x - centre) * (y - other_centre)).sum::<f32>()
    }
}

#[inline(always)]
fn joined<S: Simd>(simd: S, sums: [S::f32s; SUMS]) -> f32 {
    let [a, b, c, d] = sums;
    simd.reduce_sum_f32s(simd.add_f32s(simd.add_f32s(a, b), simd.add_f32s(c, d)))
}

struct Maximum<'a>(&'a [f32]);

impl WithSimd for Maximum<'_> {
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (vectors, tail) = S::as_simd_f32s(self.0);
        let mut largest = simd.splat_f32s(f32::NEG_INFINITY);
        for &x in vectors {
            let larger = simd.less_than_f32s(largest, x);
            largest = simd.select_f32s(larger, x, largest);
        }
        tail.iter().fold(simd.reduce_max_f32s(largest), |largest, &x| largest.max(x))
    }
}
