//! One tile of the similarity matrix, and the operations on it while it is in cache.

use pulp::{Arch, Simd, WithSimd};

use super::exp::exp;
use super::packed::{BLOCK, PackedBlock, strip_width};
use super::product::{AddProduct, Left, Target};

/// Distance between two rows. A power of two would map a column to few cache sets.
const STRIDE: usize = BLOCK + 16;

/// The cosines of one block's rows with another's, later their exponentials.
pub(super) struct Tile {
    values: Vec<f32>,
    rows: usize,
    columns: usize,
}

/// Scale and offsets that turn a cosine into a term of a denominator, exp(cosine * scale - offset), for
/// the rows and for the columns of a tile.
#[derive(Clone, Copy)]
pub(super) struct Exponents<'a> {
    pub(super) scale: f32,
    pub(super) of_rows: &'a [f32],
    pub(super) of_columns: &'a [f32],
    /// Every offset is the same: one exponential serves the row's sum and the column's.
    pub(super) shared: bool,
}

impl Tile {
    pub(super) fn new() -> Self {
        Self { values: vec![0.0; BLOCK * STRIDE], rows: 0, columns: 0 }
    }

    /// Fills the tile with cosines, -infinity for pairs that are excluded or don't exist.
    pub(super) fn fill(
        &mut self,
        rows: &PackedBlock,
        columns: &PackedBlock,
        excluded: impl Iterator<Item = (usize, usize)>,
    ) {
        (self.rows, self.columns) = (rows.rows, columns.rows);
        self.values.fill(0.0);
        let width = strip_width();
        Arch::new().dispatch(AddProduct {
            rows: rows.rows,
            inner: rows.d,
            groups: |row| Left {
                values: &rows.by_row[row / width * width * rows.d + row % width..],
                row_stride: 1,
                inner_stride: width,
            },
            right: &columns.by_row,
            target: Target { values: &mut self.values, stride: STRIDE },
        });
        let missing = columns.rows..columns.padded_rows();
        for row in self.values.chunks_exact_mut(STRIDE).take(self.rows) {
            row[missing.clone()].fill(f32::NEG_INFINITY);
        }
        for (row, column) in excluded {
            self.values[row * STRIDE + column] = f32::NEG_INFINITY;
        }
    }

    /// Raises `of_rows` and `of_columns` to the largest cosine of each row and column.
    pub(super) fn raise_to_maxima(&self, of_rows: &mut [f32], of_columns: &mut [f32]) {
        for (row, largest) in self.values.chunks_exact(STRIDE).zip(of_rows).take(self.rows) {
            for (&cosine, of_column) in row.iter().zip(&mut *of_columns).take(self.columns) {
                *largest = largest.max(cosine);
                *of_column = of_column.max(cosine);
            }
        }
    }

    /// Adds the terms of each row to `of_rows` and of each column to `of_columns`.
    pub(super) fn add_sums(
        &self,
        exponents: Exponents<'_>,
        of_rows: &mut [f64],
        of_columns: &mut [f64],
    ) {
        let mut columns = [0.0; BLOCK];
        Arch::new().dispatch(AddSums { tile: self, exponents, of_rows, of_columns: &mut columns });
        for (sum, column) in of_columns.iter_mut().zip(columns) {
            *sum += f64::from(column);
        }
    }

    /// Turns each cosine into the derivative of the result with respect to it: the term of its row
    /// times the row's factor, plus the term of its column times the column's.
    pub(super) fn weigh(&mut self, exponents: Exponents<'_>, of_rows: &[f32], of_columns: &[f32]) {
        Arch::new().dispatch(Weigh { tile: self, exponents, of_rows, of_columns });
    }

    /// `[rows, d]` += tile * `columns`.
    pub(super) fn add_rows_gradient(&self, columns: &PackedBlock, gradient: &mut [f32]) {
        Arch::new().dispatch(AddProduct {
            rows: self.rows,
            inner: self.columns,
            groups: |row| Left {
                values: &self.values[row * STRIDE..],
                row_stride: STRIDE,
                inner_stride: 1,
            },
            right: &columns.by_dimension,
            target: Target { values: gradient, stride: columns.padded_d() },
        });
    }

    /// `[columns, d]` += transposed tile * `rows`.
    pub(super) fn add_columns_gradient(&self, rows: &PackedBlock, gradient: &mut [f32]) {
        Arch::new().dispatch(AddProduct {
            rows: self.columns,
            inner: self.rows,
            groups: |column| Left {
                values: &self.values[column..],
                row_stride: 1,
                inner_stride: STRIDE,
            },
            right: &rows.by_dimension,
            target: Target { values: gradient, stride: rows.padded_d() },
        });
    }
}

struct AddSums<'a> {
    tile: &'a Tile,
    exponents: Exponents<'a>,
    of_rows: &'a mut [f64],
    of_columns: &'a mut [f32; BLOCK],
}

impl WithSimd for AddSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tile, exponents, of_rows, of_columns } = self;
        let Exponents { scale, shared, .. } = exponents;
        let scale = simd.splat_f32s(scale);
        let padded = tile.columns.next_multiple_of(S::F32_LANES);
        let (column_offsets, _) = S::as_simd_f32s(&exponents.of_columns[..padded]);
        let (column_sums, _) = S::as_mut_simd_f32s(&mut of_columns[..padded]);
        let rows = tile.values.chunks_exact(STRIDE).zip(exponents.of_rows).zip(of_rows);
        for ((cosines, &offset), sum) in rows.take(tile.rows) {
            let (cosines, _) = S::as_simd_f32s(&cosines[..padded]);
            let row_offset = simd.splat_f32s(-offset);
            let mut row_sum = simd.splat_f32s(0.0);
            let columns = cosines.iter().zip(column_offsets).zip(&mut *column_sums);
            for ((&cosine, &column_offset), column_sum) in columns {
                let of_row = exp(simd, simd.mul_add_f32s(cosine, scale, row_offset));
                let of_column = if shared {
                    of_row
                } else {
                    exp(simd, simd.sub_f32s(simd.mul_f32s(cosine, scale), column_offset))
                };
                row_sum = simd.add_f32s(row_sum, of_row);
                *column_sum = simd.add_f32s(*column_sum, of_column);
            }
            *sum += f64::from(simd.reduce_sum_f32s(row_sum));
        }
    }
}

struct Weigh<'a> {
    tile: &'a mut Tile,
    exponents: Exponents<'a>,
    of_rows: &'a [f32],
    of_columns: &'a [f32],
}

impl WithSimd for Weigh<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tile, exponents, of_rows, of_columns } = self;
        let Exponents { scale, shared, .. } = exponents;
        let scale = simd.splat_f32s(scale);
        let padded = tile.columns.next_multiple_of(S::F32_LANES);
        let (column_offsets, _) = S::as_simd_f32s(&exponents.of_columns[..padded]);
        let (column_factors, _) = S::as_simd_f32s(&of_columns[..padded]);
        let rows = tile.values.chunks_exact_mut(STRIDE).zip(exponents.of_rows).zip(of_rows);
        for ((cosines, &offset), &factor) in rows.take(tile.rows) {
            let (cosines, _) = S::as_mut_simd_f32s(&mut cosines[..padded]);
            let row_offset = simd.splat_f32s(-offset);
            let row_factor = simd.splat_f32s(factor);
            let columns = cosines.iter_mut().zip(column_offsets).zip(column_factors);
            for ((cosine, &column_offset), &column_factor) in columns {
                let of_row = exp(simd, simd.mul_add_f32s(*cosine, scale, row_offset));
                *cosine = if shared {
                    simd.mul_f32s(of_row, simd.add_f32s(row_factor, column_factor))
                } else {
                    let x = simd.sub_f32s(simd.mul_f32s(*cosine, scale), column_offset);
                    let weighted = simd.mul_f32s(exp(simd, x), column_factor);
                    simd.mul_add_f32s(of_row, row_factor, weighted)
                };
            }
        }
    }
}
