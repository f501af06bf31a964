//! Strips: a vector of channels of a window of an image.

use std::ops::Range;

use pulp::Simd;

use crate::kernels::padded::{Images, Window};

/// Numbers in the widest vectors.
pub(super) const WIDEST: usize = 16;
/// Vectors of channels that are copied together.
pub(super) const STRIPS: usize = 4;
/// Numbers of a cache line.
const LINE: usize = 16;

impl Images<'_> {
    /// Copies some channels of one image's window, as strips of a vector for each pixel, one strip behind the other: zero
    /// outside the image and beyond the last channel. Neighbouring strips are copied together, because memory is read
    /// ahead where it is read in order.
    #[inline(always)]
    pub(super) fn copy_strips<S: Simd>(
        self,
        simd: S,
        window: Window,
        channels: Range<usize>,
        to: &mut [S::f32s],
    ) {
        let [height, width] = self.size;
        let [rows, columns] = window.size;
        let first = window.start[1].clamp(0, width as isize) as usize;
        let end = (window.start[1] + columns as isize).clamp(0, width as isize) as usize;
        let before = (first as isize - window.start[1]) as usize;
        let zero = simd.splat_f32s(0.0);
        let strips = channels.len().div_ceil(S::F32_LANES);
        for index in 0..rows {
            let row = window.start[0] + index as isize;
            let inside = if row < 0 || row >= height as isize { 0..0 } else { first..end };
            for strip in 0..strips {
                let to = &mut to[(strip * rows + index) * columns..][..columns];
                to[..before.min(columns)].fill(zero);
                to[(before + inside.len()).min(columns)..].fill(zero);
            }
            if inside.is_empty() {
                continue;
            }
            let from = &self.values[row as usize * width * self.channels..];
            for (column, x) in inside.enumerate() {
                let pixel = &from[x * self.channels..][channels.clone()];
                let at = index * columns + before + column;
                let (vectors, rest) = S::as_simd_f32s(pixel);
                for (strip, &vector) in vectors.iter().enumerate() {
                    to[strip * rows * columns + at] = vector;
                }
                if !rest.is_empty() {
                    to[vectors.len() * rows * columns + at] = simd.partial_load_f32s(rest);
                }
            }
        }
    }
}

/// A vector from `at` on.
#[inline(always)]
pub(super) fn load<S: Simd>(values: &[f32], at: usize) -> S::f32s {
    S::as_simd_f32s(&values[at..at + S::F32_LANES]).0[0]
}

/// Numbers of memory that hold so many vectors.
pub(super) fn memory_of(vectors: usize) -> usize {
    vectors * WIDEST + LINE
}

/// Memory as vectors, none of which lies in two cache lines.
#[inline(always)]
pub(super) fn as_vectors<S: Simd>(memory: &mut [f32]) -> &mut [S::f32s] {
    let start = memory.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
    S::as_mut_simd_f32s(&mut memory[start..]).0
}

/// Runs a block for each number below a constant, as a constant: only so does an array stay in registers.
macro_rules! unrolled {
    ($n:ident < $count:expr, $block:expr) => {
        unrolled!($n < $count, $block, 0 1 2 3 4 5 6)
    };
    ($n:ident < $count:expr, $block:expr, $($number:literal)*) => {$(
        if $number < $count {
            let $n: usize = $number;
            $block
        }
    )*};
}
pub(super) use unrolled;
