//! Products of small matrices that lie in cache: every convolution here is a sum of them.

use pulp::{Simd, WithSimd};

/// Columns of a full strip of the right factor.
pub(crate) const STRIP: usize = 32;
/// Columns of the last strip, if no more are left.
const HALF_STRIP: usize = 16;
/// Numbers behind the left factor that a register tile may read, see [`LeftOrder::Steps`].
pub(crate) const ROW_SLACK: usize = 16;

/// The strips that `columns` columns are split into: where each begins, and how wide it is stored.
pub(crate) fn strips(columns: usize) -> impl ExactSizeIterator<Item = (usize, usize)> + Clone {
    (0..columns.div_ceil(STRIP)).map(move |strip| {
        let start = strip * STRIP;
        (start, if columns - start > HALF_STRIP { STRIP } else { HALF_STRIP })
    })
}

/// The number of columns as stored: whole strips.
pub(crate) fn padded_columns(columns: usize) -> usize {
    columns.next_multiple_of(HALF_STRIP)
}

/// How the left factor lies in memory.
#[derive(Clone, Copy)]
pub(crate) enum LeftOrder {
    /// The steps of a row are contiguous.
    Rows,
    /// The rows of a step are contiguous, and one step begins this many numbers after the last. The last register
    /// tile reads up to [`ROW_SLACK`] numbers behind the rows, and drops what it computes from them.
    Steps(usize),
}

/// One piece of the inner dimension: where it begins in both factors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tap {
    pub(crate) left: usize,
    pub(crate) right: usize,
}

/// `target (+)= left * right`, summed over `taps` of `run` steps each.
///
/// - The left factor's row begins at `place(row).0 + tap.left`, and its steps lie as `order` says.
/// - The right factor's row for a step begins at `tap.right + step * right_stride`, and is `width` numbers long.
/// - The target's row begins at `place(row).1`, and its first `columns` numbers are written.
pub(crate) struct Product<'a, P> {
    pub(crate) left: &'a [f32],
    pub(crate) order: LeftOrder,
    pub(crate) right: &'a [f32],
    pub(crate) right_stride: usize,
    pub(crate) taps: &'a [Tap],
    pub(crate) run: usize,
    pub(crate) rows: usize,
    pub(crate) place: P,
    pub(crate) width: usize,
    pub(crate) columns: usize,
    pub(crate) target: &'a mut [f32],
    /// Whether the product is added to the target or replaces it.
    pub(crate) add: bool,
}

/// Runs a block for each row of a register tile, with the row's number as a constant.
///
/// The compiler keeps an array in registers only if all of its indices are constants before it unrolls loops.
macro_rules! each_row {
    (|$r:ident| $block:expr) => {
        each_row!(|$r| $block, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    (|$r:ident| $block:expr, $($row:literal)*) => {$(
        if $row < ROWS {
            let $r: usize = $row;
            $block
        }
    )*};
}

/// Adds one step to a row of a register tile: the left factor's number times the right factor's vectors.
macro_rules! accumulate {
    ($simd:ident, $sums:expr, $columns:ident, $left:expr) => {
        accumulate!($simd, $sums, $columns, $left, 0 1 2 3)
    };
    ($simd:ident, $sums:expr, $columns:ident, $left:expr, $($v:literal)*) => {{
        let x = $simd.splat_f32s($left);
        $(if $v < VECTORS {
            $sums[$v] = $simd.mul_add_e_f32s(x, $columns[$v], $sums[$v]);
        })*
    }};
}

impl<P: Fn(usize) -> (usize, usize)> WithSimd for Product<'_, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // The register tile has enough accumulators to hide the latency of a multiply-add, and leaves registers for
        // the factors: 16 of AVX-512's 32, 8 of AVX2's 16, 16 of NEON's 32.
        match (S::F32_LANES, self.width) {
            (16, HALF_STRIP) => self.ordered::<S, 16, 1>(simd),
            (16 | 4, _) => self.ordered::<S, 8, 2>(simd),
            (8, _) => self.ordered::<S, 4, 2>(simd),
            _ => self.ordered::<S, 4, 4>(simd),
        }
    }
}

impl<P: Fn(usize) -> (usize, usize)> Product<'_, P> {
    #[inline(always)]
    fn ordered<S: Simd, const ROWS: usize, const VECTORS: usize>(self, simd: S) {
        match self.order {
            LeftOrder::Rows => self.tiles::<S, ROWS, VECTORS, false>(simd, 1),
            LeftOrder::Steps(stride) => self.tiles::<S, ROWS, VECTORS, true>(simd, stride),
        }
    }

    #[inline(always)]
    fn tiles<S: Simd, const ROWS: usize, const VECTORS: usize, const STEPS: bool>(
        self,
        simd: S,
        inner_stride: usize,
    ) {
        let width = VECTORS * S::F32_LANES;
        for row in (0..self.rows).step_by(ROWS) {
            let mut bases = [0; ROWS];
            let mut targets = [0; ROWS];
            for r in 0..ROWS {
                (bases[r], targets[r]) = (self.place)((row + r).min(self.rows - 1));
            }
            for column in (0..self.columns).step_by(width) {
                let sums = self.sums::<S, ROWS, VECTORS, STEPS>(simd, &bases, column, inner_stride);
                each_row!(|r| if row + r < self.rows {
                    let target = &mut self.target[targets[r] + column..];
                    if self.columns - column >= width {
                        store(simd, &mut target[..width], sums[r], self.add);
                    } else {
                        store_part(simd, &mut target[..self.columns - column], sums[r], self.add);
                    }
                });
            }
        }
    }

    /// The sums of one register tile: rows that begin at `bases`, and vectors from `column` on.
    #[inline(always)]
    fn sums<S: Simd, const ROWS: usize, const VECTORS: usize, const STEPS: bool>(
        &self,
        simd: S,
        bases: &[usize; ROWS],
        column: usize,
        inner_stride: usize,
    ) -> [[S::f32s; VECTORS]; ROWS] {
        let width = VECTORS * S::F32_LANES;
        let (run, right_stride) = (self.run, self.right_stride);
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        for tap in self.taps {
            let right = &self.right[tap.right + column..];
            let right = &right[..(run - 1) * right_stride + width];
            if STEPS {
                let left = &self.left[bases[0] + tap.left..];
                let left = &left[..(run - 1) * inner_stride + ROWS];
                for step in 0..run {
                    let columns = load::<S, VECTORS>(&right[step * right_stride..]);
                    let left: &[f32; ROWS] = left[step * inner_stride..]
                        .first_chunk()
                        .expect("`ROW_SLACK` numbers lie behind the rows");
                    each_row!(|r| accumulate!(simd, sums[r], columns, left[r]));
                }
            } else {
                let mut left = [&[][..]; ROWS];
                for r in 0..ROWS {
                    left[r] = &self.left[bases[r] + tap.left..][..run];
                }
                for step in 0..run {
                    let columns = load::<S, VECTORS>(&right[step * right_stride..]);
                    each_row!(|r| accumulate!(simd, sums[r], columns, left[r][step]));
                }
            }
        }
        sums
    }
}

#[inline(always)]
fn load<S: Simd, const VECTORS: usize>(values: &[f32]) -> [S::f32s; VECTORS] {
    let (vectors, _) = S::as_simd_f32s(&values[..VECTORS * S::F32_LANES]);
    *vectors.first_chunk().expect("as many vectors as were sliced")
}

#[inline(always)]
fn store<S: Simd, const VECTORS: usize>(
    simd: S,
    target: &mut [f32],
    sums: [S::f32s; VECTORS],
    add: bool,
) {
    let (slots, _) = S::as_mut_simd_f32s(target);
    for (slot, sum) in slots.iter_mut().zip(sums) {
        *slot = if add { simd.add_f32s(*slot, sum) } else { sum };
    }
}

/// [`store`] for a target that ends before the last vector does.
#[inline(always)]
fn store_part<S: Simd, const VECTORS: usize>(
    simd: S,
    target: &mut [f32],
    sums: [S::f32s; VECTORS],
    add: bool,
) {
    for (target, sum) in target.chunks_mut(S::F32_LANES).zip(sums) {
        let sum = if add { simd.add_f32s(simd.partial_load_f32s(target), sum) } else { sum };
        simd.partial_store_f32s(target, sum);
    }
}
