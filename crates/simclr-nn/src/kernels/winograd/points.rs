//! How values at the 36 points lie in memory: `[point][row][column]`, one plane for each point.

use pulp::Simd;

/// Distance between the values at two points, `[rows, columns]` each. It is no power of two, or all points would
/// share a cache set.
pub(super) fn plane(rows: usize, columns: usize) -> usize {
    rows * columns + 16
}

/// The vectors at all points, `at` numbers into each plane.
#[inline(always)]
pub(super) fn load_points<S: Simd>(
    simd: S,
    points: &[f32],
    plane: usize,
    at: usize,
) -> [[S::f32s; 6]; 6] {
    let mut square = [[simd.splat_f32s(0.0); 6]; 6];
    for (point, value) in square.as_flattened_mut().iter_mut().enumerate() {
        *value = vector::<S>(points, point * plane + at);
    }
    square
}

/// Writes a vector to each point, `at` numbers into its plane.
#[inline(always)]
pub(super) fn store_points<S: Simd>(
    square: &[[S::f32s; 6]; 6],
    points: &mut [f32],
    plane: usize,
    at: usize,
) {
    for (point, &value) in square.as_flattened().iter().enumerate() {
        *vector_mut::<S>(points, point * plane + at) = value;
    }
}

/// The vector that begins at number `at`.
#[inline(always)]
pub(super) fn vector<S: Simd>(values: &[f32], at: usize) -> S::f32s {
    S::as_simd_f32s(&values[at..][..S::F32_LANES]).0[0]
}

/// The place of the vector that begins at number `at`.
#[inline(always)]
pub(super) fn vector_mut<S: Simd>(values: &mut [f32], at: usize) -> &mut S::f32s {
    &mut S::as_mut_simd_f32s(&mut values[at..][..S::F32_LANES]).0[0]
}
