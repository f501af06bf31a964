//! Vectors copied into one.

use burn_cubecl::cubecl;
use cubecl::prelude::*;

/// Copies each vector to its place in `output`. A cube's place along y says which vector it copies a part of.
#[cube(launch, address_type = "dynamic")]
pub(crate) fn packed_vectors<F: Float>(
    first: &[F],
    second: ComptimeOption<&[F]>,
    third: ComptimeOption<&[F]>,
    fourth: ComptimeOption<&[F]>,
    fifth: ComptimeOption<&[F]>,
    sixth: ComptimeOption<&[F]>,
    seventh: ComptimeOption<&[F]>,
    output: &mut [F],
    ends: &Sequence<usize>,
    #[define(F)] _dtype: ElemType,
) {
    let vector = CUBE_POS_Y;
    if vector == 0 {
        copy::<F>(first, output, 0usize, ends[0]);
    }
    if comptime![second.is_some()] && vector == 1 {
        copy::<F>(second.unwrap(), output, ends[0], ends[1]);
    }
    if comptime![third.is_some()] && vector == 2 {
        copy::<F>(third.unwrap(), output, ends[1], ends[2]);
    }
    if comptime![fourth.is_some()] && vector == 3 {
        copy::<F>(fourth.unwrap(), output, ends[2], ends[3]);
    }
    if comptime![fifth.is_some()] && vector == 4 {
        copy::<F>(fifth.unwrap(), output, ends[3], ends[4]);
    }
    if comptime![sixth.is_some()] && vector == 5 {
        copy::<F>(sixth.unwrap(), output, ends[4], ends[5]);
    }
    if comptime![seventh.is_some()] && vector == 6 {
        copy::<F>(seventh.unwrap(), output, ends[5], ends[6]);
    }
}

/// Copies `vector` to `start..`, and writes zeros behind it up to `end`.
#[cube]
fn copy<F: Float>(vector: &[F], output: &mut [F], start: usize, end: usize) {
    let units = CUBE_COUNT_X as usize * CUBE_DIM as usize;
    let mut at = CUBE_POS_X as usize * CUBE_DIM as usize + UNIT_POS as usize;
    while start + at < end {
        let mut value = F::new(0.0f32);
        if at < vector.len() {
            value = vector[at];
        }
        output[start + at] = value;
        at += units;
    }
}
