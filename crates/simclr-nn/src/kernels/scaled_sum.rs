//! Sums in which each image has a factor.

use pulp::Arch;
use rayon::prelude::*;

use super::memory::take;

/// Numbers in a task.
const TASK: usize = 16 * 1024;

/// `x` plus `factors`, `[n]`, times `y`, both of them n images.
pub(crate) fn scaled_sum(x: &[f32], y: &[f32], factors: &[f32]) -> Vec<f32> {
    let mut result = take(x.len());
    let of_image = (x.len() / factors.len()).max(1);
    let images = result.par_chunks_mut(of_image).zip(x.par_chunks(of_image));
    let images = images.zip(y.par_chunks(of_image)).zip(factors);
    images.for_each(|(((result, x), y), &factor)| {
        let parts = result.par_chunks_mut(TASK).zip(x.par_chunks(TASK)).zip(y.par_chunks(TASK));
        parts.for_each(|((result, x), y)| {
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    for ((sum, &x), &y) in result.iter_mut().zip(x).zip(y) {
                        *sum = y * factor + x;
                    }
                },
            );
        });
    });
    result
}

/// `factors`, `[n]`, times `x`, n images.
pub(crate) fn scaled(x: &[f32], factors: &[f32]) -> Vec<f32> {
    let mut result = take(x.len());
    let of_image = (x.len() / factors.len()).max(1);
    let images = result.par_chunks_mut(of_image).zip(x.par_chunks(of_image)).zip(factors);
    images.for_each(|((result, x), &factor)| {
        let parts = result.par_chunks_mut(TASK).zip(x.par_chunks(TASK));
        parts.for_each(|(result, x)| {
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    for (product, &x) in result.iter_mut().zip(x) {
                        *product = x * factor;
                    }
                },
            );
        });
    });
    result
}
