//! The linear maps of F(4x4, 3x3): tiles of 4x4 outputs from 6x6 inputs by 36 products, not 144.
//!
//! The interpolation points are 0, ±a, ±b and infinity, with a = 3/4 and b = 3/2. The usual ±1 and ±2 save
//! multiplications, which are free here because they are fused with additions, and have four times the error.

use pulp::Simd;

const A: f32 = 0.75;
const B: f32 = 1.5;
const A2: f32 = A * A;
const B2: f32 = B * B;
/// The denominators of G's rows at 0, ±a and ±b.
const F0: f32 = A2 * B2;
const FA: f32 = 2.0 * A2 * (A2 - B2);
const FB: f32 = 2.0 * B2 * (B2 - A2);

/// Products for a tile: 6x6.
pub(super) const POINTS: usize = 36;
/// Outputs along a tile's side.
pub(super) const TILE: usize = 4;
/// Inputs along the side of a tile's patch.
pub(super) const PATCH: usize = 6;

/// Bᵀ d: 6 inputs at the 6 points.
#[inline(always)]
pub(super) fn input<S: Simd>(s: S, d: [S::f32s; 6]) -> [S::f32s; 6] {
    let even_a = s.mul_add_e_f32s(s.splat_f32s(-B2), d[2], d[4]);
    let odd_a = s.mul_add_e_f32s(s.splat_f32s(-B2), d[1], d[3]);
    let even_b = s.mul_add_e_f32s(s.splat_f32s(-A2), d[2], d[4]);
    let odd_b = s.mul_add_e_f32s(s.splat_f32s(-A2), d[1], d[3]);
    [
        s.mul_add_e_f32s(
            s.splat_f32s(A2 * B2),
            d[0],
            s.mul_add_e_f32s(s.splat_f32s(-(A2 + B2)), d[2], d[4]),
        ),
        s.mul_add_e_f32s(s.splat_f32s(A), odd_a, even_a),
        s.mul_add_e_f32s(s.splat_f32s(-A), odd_a, even_a),
        s.mul_add_e_f32s(s.splat_f32s(B), odd_b, even_b),
        s.mul_add_e_f32s(s.splat_f32s(-B), odd_b, even_b),
        s.mul_add_e_f32s(
            s.splat_f32s(A2 * B2),
            d[1],
            s.mul_add_e_f32s(s.splat_f32s(-(A2 + B2)), d[3], d[5]),
        ),
    ]
}

/// Aᵀ m: 4 outputs from the 6 points.
#[inline(always)]
pub(super) fn output<S: Simd>(s: S, m: [S::f32s; 6]) -> [S::f32s; 4] {
    let ((even_a, odd_a), (even_b, odd_b)) = (even_odd(s, m[1], m[2]), even_odd(s, m[3], m[4]));
    [
        s.add_f32s(m[0], s.add_f32s(even_a, even_b)),
        s.mul_add_e_f32s(s.splat_f32s(A), odd_a, s.mul_f32s(s.splat_f32s(B), odd_b)),
        s.mul_add_e_f32s(s.splat_f32s(A2), even_a, s.mul_f32s(s.splat_f32s(B2), even_b)),
        s.mul_add_e_f32s(
            s.splat_f32s(A2 * A),
            odd_a,
            s.mul_add_e_f32s(s.splat_f32s(B2 * B), odd_b, m[5]),
        ),
    ]
}

/// A y: 4 gradients of outputs at the 6 points, [`output`] transposed.
#[inline(always)]
pub(super) fn output_transposed<S: Simd>(s: S, y: [S::f32s; 4]) -> [S::f32s; 6] {
    let (even_a, odd_a) = (
        s.mul_add_e_f32s(s.splat_f32s(A2), y[2], y[0]),
        s.mul_add_e_f32s(s.splat_f32s(A2 * A), y[3], s.mul_f32s(s.splat_f32s(A), y[1])),
    );
    let (even_b, odd_b) = (
        s.mul_add_e_f32s(s.splat_f32s(B2), y[2], y[0]),
        s.mul_add_e_f32s(s.splat_f32s(B2 * B), y[3], s.mul_f32s(s.splat_f32s(B), y[1])),
    );
    [
        y[0],
        s.add_f32s(even_a, odd_a),
        s.sub_f32s(even_a, odd_a),
        s.add_f32s(even_b, odd_b),
        s.sub_f32s(even_b, odd_b),
        y[3],
    ]
}

/// G g: 3 weights at the 6 points.
#[inline(always)]
pub(super) fn weight<S: Simd>(s: S, g: [S::f32s; 3]) -> [S::f32s; 6] {
    let even_a = s.mul_f32s(s.splat_f32s(1.0 / FA), s.mul_add_e_f32s(s.splat_f32s(A2), g[2], g[0]));
    let even_b = s.mul_f32s(s.splat_f32s(1.0 / FB), s.mul_add_e_f32s(s.splat_f32s(B2), g[2], g[0]));
    [
        s.mul_f32s(s.splat_f32s(1.0 / F0), g[0]),
        s.mul_add_e_f32s(s.splat_f32s(A / FA), g[1], even_a),
        s.mul_add_e_f32s(s.splat_f32s(-A / FA), g[1], even_a),
        s.mul_add_e_f32s(s.splat_f32s(B / FB), g[1], even_b),
        s.mul_add_e_f32s(s.splat_f32s(-B / FB), g[1], even_b),
        g[2],
    ]
}

/// Gᵀ u: 3 gradients of weights from the 6 points, [`weight`] transposed.
#[inline(always)]
pub(super) fn weight_transposed<S: Simd>(s: S, u: [S::f32s; 6]) -> [S::f32s; 3] {
    let ((even_a, odd_a), (even_b, odd_b)) = (even_odd(s, u[1], u[2]), even_odd(s, u[3], u[4]));
    let even_a = s.mul_f32s(s.splat_f32s(1.0 / FA), even_a);
    let even_b = s.mul_f32s(s.splat_f32s(1.0 / FB), even_b);
    [
        s.mul_add_e_f32s(s.splat_f32s(1.0 / F0), u[0], s.add_f32s(even_a, even_b)),
        s.mul_add_e_f32s(s.splat_f32s(A / FA), odd_a, s.mul_f32s(s.splat_f32s(B / FB), odd_b)),
        s.mul_add_e_f32s(
            s.splat_f32s(A2),
            even_a,
            s.mul_add_e_f32s(s.splat_f32s(B2), even_b, u[5]),
        ),
    ]
}

/// The sum and the difference of the values at two points that differ in sign.
#[inline(always)]
fn even_odd<S: Simd>(s: S, above: S::f32s, below: S::f32s) -> (S::f32s, S::f32s) {
    (s.add_f32s(above, below), s.sub_f32s(above, below))
}

/// Applies a map from N to M values along both sides of an N x N square, columns first: the result is M x M.
///
/// A macro, because a closure would be compiled without the vector instructions.
macro_rules! both {
    ($simd:expr, $square:expr, $map:ident, $n:literal => $m:literal) => {{
        let (simd, square) = ($simd, $square);
        let zero = simd.splat_f32s(0.0);
        let mut columns = [[zero; $m]; $n]; // [column][row']
        for j in 0..$n {
            let mut column = [zero; $n];
            for i in 0..$n {
                column[i] = square[i][j];
            }
            columns[j] = $map(simd, column);
        }
        let mut result = [[zero; $m]; $m];
        for i in 0..$m {
            let mut row = [zero; $n];
            for j in 0..$n {
                row[j] = columns[j][i];
            }
            result[i] = $map(simd, row);
        }
        result
    }};
}
pub(super) use both;
