//! Right factors in the order in which products read them.

use super::product::{STRIP, padded_columns, strips};

/// Steps that are transposed together: what they write stays in the first-level cache.
const STEPS: usize = 16;

/// A matrix whose rows begin `stride` numbers after each other.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub(super) values: &'a [f32],
    pub(super) stride: usize,
}

/// The numbers of a packed factor.
pub(super) fn packed_len(steps: usize, columns: usize) -> usize {
    steps * padded_columns(columns)
}

/// The strips of a packed factor: where the columns of each begin, and `[steps, width]`.
pub(super) fn packed_strips(
    packed: &[f32],
    steps: usize,
    columns: usize,
) -> impl Iterator<Item = (usize, usize, &[f32])> {
    let parts = packed[..packed_len(steps, columns)].chunks((steps * STRIP).max(1));
    strips(columns).zip(parts).map(|((start, width), part)| (start, width, part))
}

/// The columns `start..start + width` of `matrix`, `[steps, columns]`, as `[steps, width]`: zero beyond the last column.
pub(super) fn pack_rows(matrix: Matrix<'_>, columns: usize, strip: (usize, usize), to: &mut [f32]) {
    let (start, width) = strip;
    let filled = width.min(columns - start);
    for (to, from) in to.chunks_exact_mut(width).zip(matrix.values[start..].chunks(matrix.stride)) {
        copy_or_fill::<STRIP>(&from[..filled], to);
    }
}

/// Copies `from` to `to`, with zeros behind it. `WHOLE` numbers are copied without the call that a copy of any length is.
#[inline(always)]
pub(super) fn copy_or_fill<const WHOLE: usize>(from: &[f32], to: &mut [f32]) {
    if let (Some(from), Some(to)) = (from.first_chunk::<WHOLE>(), to.first_chunk_mut::<WHOLE>()) {
        *to = *from;
    } else {
        to[..from.len()].copy_from_slice(from);
        to[from.len()..].fill(0.0);
    }
}

/// The same strip of the transpose of `matrix`, `[columns, steps]`, times `factor`.
pub(super) fn pack_columns(
    matrix: Matrix<'_>,
    columns: usize,
    strip: (usize, usize),
    factor: f32,
    to: &mut [f32],
) {
    let (start, width) = strip;
    let steps = to.len() / width;
    let filled = width.min(columns - start);
    if filled < width {
        for row in to.chunks_exact_mut(width) {
            row[filled..].fill(0.0);
        }
    }
    for (index, to) in to.chunks_mut(width * STEPS).enumerate() {
        let first = index * STEPS;
        let last = steps.min(first + STEPS);
        for lane in 0..filled {
            let from = &matrix.values[(start + lane) * matrix.stride..][first..last];
            for (to, &from) in to[lane..].iter_mut().step_by(width).zip(from) {
                *to = from * factor;
            }
        }
    }
}
