//! Copies between rows of weights and strips of the product's columns.

use super::product::STRIP;

/// Numbers of a row that are moved at a time: for all lanes of a strip they stay in the first-level cache.
const RUN: usize = 64;

/// A strip's numbers `[steps, width]`, one row of `lanes` for each step, from rows that each hold the steps of one lane.
/// `at` says where in the strip the step goes.
pub(crate) fn gather(
    rows: &[&[f32]],
    steps: usize,
    width: usize,
    strip: &mut [f32],
    at: impl Fn(usize) -> usize,
) {
    let mut block = [[0.0; RUN]; STRIP];
    for first in (0..steps).step_by(RUN) {
        let count = RUN.min(steps - first);
        for (block, row) in block.iter_mut().zip(rows) {
            block[..count].copy_from_slice(&row[first..first + count]);
        }
        for step in 0..count {
            let to = &mut strip[at(first + step) * width..][..width];
            for (to, block) in to.iter_mut().zip(&block) {
                *to = block[step];
            }
        }
    }
}

/// [`gather`] backwards: rows `[width, steps]`, one behind the other, from a strip.
pub(crate) fn scatter(
    strip: &[f32],
    width: usize,
    steps: usize,
    rows: &mut [f32],
    at: impl Fn(usize) -> usize,
) {
    let mut block = [[0.0; RUN]; STRIP];
    for first in (0..steps).step_by(RUN) {
        let count = RUN.min(steps - first);
        for step in 0..count {
            let from = &strip[at(first + step) * width..][..width];
            for (block, &from) in block.iter_mut().zip(from) {
                block[step] = from;
            }
        }
        for (block, row) in block.iter().zip(rows.chunks_exact_mut(steps)) {
            row[first..first + count].copy_from_slice(&block[..count]);
        }
    }
}
