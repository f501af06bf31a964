//! One block of unit rows, laid out for the matrix products.

use pulp::{Arch, Simd, WithSimd};

/// Rows of a block. A 128 x 128 tile of similarities and the two blocks it comes from stay in a
/// core's second-level cache for d up to a few hundred.
pub(super) const BLOCK: usize = 128;

/// A block of at most [`BLOCK`] unit rows, stored twice: as left and right factor of the similarities,
/// and as right factor of the gradient.
///
/// Both are cut into strips as wide as the product's register tile, each strip contiguous, so that
/// the inner loop reads memory in order. The padding at the end of the last strip is zero.
pub(super) struct PackedBlock {
    pub(super) rows: usize,
    pub(super) d: usize,
    /// Strips of rows: `[rows / width][d][width]`, a transposed copy.
    pub(super) by_row: Vec<f32>,
    /// Strips of dimensions: `[d / width][rows][width]`.
    pub(super) by_dimension: Vec<f32>,
}

impl PackedBlock {
    /// Packs `[rows, d]` values.
    pub(super) fn new(values: &[f32], d: usize) -> Self {
        let width = strip_width();
        let rows = values.len() / d;
        let padded_rows = rows.next_multiple_of(width);
        let padded_d = d.next_multiple_of(width);
        let mut by_row = vec![0.0; padded_rows * d];
        let mut by_dimension = vec![0.0; padded_d * rows];
        for (row, z) in values.chunks_exact(d).enumerate() {
            let strip = &mut by_row[row / width * width * d..][..width * d];
            for (slot, &x) in strip.iter_mut().skip(row % width).step_by(width).zip(z) {
                *slot = x;
            }
            for (strip, part) in by_dimension.chunks_exact_mut(rows * width).zip(z.chunks(width)) {
                strip[row * width..][..part.len()].copy_from_slice(part);
            }
        }
        Self { rows, d, by_row, by_dimension }
    }

    /// The number of rows, rounded up to whole strips.
    pub(super) fn padded_rows(&self) -> usize {
        self.rows.next_multiple_of(strip_width())
    }

    /// The number of dimensions, rounded up to whole strips.
    pub(super) fn padded_d(&self) -> usize {
        self.d.next_multiple_of(strip_width())
    }
}

/// Columns of the product's register tile on this machine.
pub(super) fn strip_width() -> usize {
    struct StripWidth;

    impl WithSimd for StripWidth {
        type Output = usize;

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            super::product::strip_width_of::<S>()
        }
    }

    Arch::new().dispatch(StripWidth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::float_cmp, reason = "copies are exact")]
    #[test]
    fn packing_keeps_every_value_and_pads_with_zeros() {
        let (rows, d, width) = (5, 3, strip_width());
        let values: Vec<f32> = (1..=15).map(|x| x as f32).collect();
        let block = PackedBlock::new(&values, d);
        assert_eq!(block.by_row.len(), block.padded_rows() * d);
        for row in 0..block.padded_rows() {
            for k in 0..d {
                let expected = if row < rows { values[row * d + k] } else { 0.0 };
                assert_eq!(block.by_row[(row / width * d + k) * width + row % width], expected);
            }
        }
        for k in 0..block.padded_d() {
            for row in 0..rows {
                let expected = if k < d { values[row * d + k] } else { 0.0 };
                assert_eq!(
                    block.by_dimension[(k / width * rows + row) * width + k % width],
                    expected
                );
            }
        }
    }
}
