//! Products of small matrices that lie in cache.

use pulp::{Simd, WithSimd};

/// Steps of the inner dimension taken at once: a strip of that length stays in the first-level cache.
const INNER_STEPS: usize = 256;

/// The left factor, element (row, k) at `values[row * row_stride + k * inner_stride]`.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    pub(super) values: &'a [f32],
    pub(super) row_stride: usize,
    pub(super) inner_stride: usize,
}

/// Where the product is added: row after row, `stride` apart.
pub(super) struct Target<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) stride: usize,
}

/// `target += left * right` for `[rows, inner]` times `[inner, columns]`.
///
/// `right` comes in strips `[columns / width][inner][width]`, and `left` in groups of rows: the rows
/// from `r` on are at `groups(r)`.
pub(super) struct AddProduct<'a, G> {
    pub(super) rows: usize,
    pub(super) inner: usize,
    pub(super) groups: G,
    pub(super) right: &'a [f32],
    pub(super) target: Target<'a>,
}

impl<'a, G: Fn(usize) -> Left<'a>> WithSimd for AddProduct<'a, G> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // The register tile: as many accumulators as hide the latency of a multiply-add, and leave
        // registers for the factors: 16 of AVX-512's 32, 8 of AVX2's 16, 16 of NEON's 32.
        match S::F32_LANES {
            16 => self.run::<S, 8, 2>(simd),
            8 => self.run::<S, 4, 2>(simd),
            4 => self.run::<S, 4, 4>(simd),
            _ => self.run::<S, 4, 16>(simd),
        }
    }
}

/// Columns of the register tile, see [`AddProduct::with_simd`]. A multiple of its rows.
#[inline(always)]
pub(super) fn strip_width_of<S: Simd>() -> usize {
    match S::F32_LANES {
        16 => 32,
        _ => 16,
    }
}

impl<'a, G: Fn(usize) -> Left<'a>> AddProduct<'a, G> {
    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const VECTORS: usize>(self, simd: S) {
        let Self { rows, inner, groups, right, target } = self;
        let width = VECTORS * S::F32_LANES;
        for (strip, right) in right.chunks_exact(inner * width).enumerate() {
            for start in (0..inner).step_by(INNER_STEPS) {
                let steps = INNER_STEPS.min(inner - start);
                let right = &right[start * width..][..steps * width];
                for row in (0..rows).step_by(ROWS) {
                    let left = groups(row);
                    let left = Left { values: &left.values[start * left.inner_stride..], ..left };
                    let corner = &mut target.values[row * target.stride + strip * width..];
                    tile::<S, ROWS, VECTORS>(simd, left, right, corner, target.stride);
                }
            }
        }
    }
}

/// One register tile: `ROWS` rows by `VECTORS` vectors, over all of `right`'s steps.
#[inline(always)]
fn tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: Left<'_>,
    right: &[f32],
    target: &mut [f32],
    stride: usize,
) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
    let (right, _) = S::as_simd_f32s(right);
    let (right, _) = right.as_chunks::<VECTORS>();
    for (k, columns) in right.iter().enumerate() {
        for (row, sums) in sums.iter_mut().enumerate() {
            let x = simd.splat_f32s(left.values[row * left.row_stride + k * left.inner_stride]);
            for (sum, &y) in sums.iter_mut().zip(columns) {
                *sum = simd.mul_add_e_f32s(x, y, *sum);
            }
        }
    }
    for (row, sums) in sums.iter().enumerate() {
        let (target, _) =
            S::as_mut_simd_f32s(&mut target[row * stride..][..VECTORS * S::F32_LANES]);
        for (slot, &sum) in target.iter_mut().zip(sums) {
            *slot = simd.add_f32s(*slot, sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_denominators::cpu::on_every_vector_type;

    #[derive(Clone, Copy)]
    struct EqualsThreeLoops;

    impl WithSimd for EqualsThreeLoops {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            // More steps than are taken at once, more columns than a strip, rows that fill no tile.
            let (rows, inner, width) = (11_usize, 300, strip_width_of::<S>());
            let columns = 2 * width;
            let number = |i: usize| ((i * 7919) % 201) as f32 / 100.0 - 1.0;
            let padded_rows = rows.next_multiple_of(8);
            let left: Vec<f32> = (0..padded_rows * inner).map(number).collect();
            let right: Vec<f32> = (0..inner * columns).map(number).collect();
            let strips: Vec<f32> = (0..2)
                .flat_map(|s| (0..inner * width).map(move |i| (s, i / width, i % width)))
                .map(|(s, k, c)| right[k * columns + s * width + c])
                .collect();
            let mut found = vec![1.0; padded_rows * columns];
            let product = AddProduct {
                rows,
                inner,
                groups: |row| Left {
                    values: &left[row * inner..],
                    row_stride: inner,
                    inner_stride: 1,
                },
                right: &strips,
                target: Target { values: &mut found, stride: columns },
            };
            product.with_simd(simd);
            for (index, found) in found.iter().enumerate().take(rows * columns) {
                let (row, column) = (index / columns, index % columns);
                let exact: f64 = (0..inner)
                    .map(|k| {
                        f64::from(left[row * inner + k]) * f64::from(right[k * columns + column])
                    })
                    .sum();
                let difference = (f64::from(*found) - 1.0 - exact).abs();
                assert!(difference < 1e-4, "{simd:?}, ({row}, {column}): off by {difference}");
            }
        }
    }

    #[test]
    fn the_product_equals_three_loops() {
        on_every_vector_type(EqualsThreeLoops);
    }
}
