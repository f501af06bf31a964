//! GELU: x times the probability that a standard normal number is smaller (Hendrycks and Gimpel 2016).

use pulp::Arch;
use rayon::prelude::*;

use super::exp::exp;
use super::memory::take;

/// Up to here the probability is 1/2 plus an odd polynomial, beyond it 1 minus a tail: near zero the tail would be less
/// exact.
const NEAR: f32 = 1.5;
/// The probability of a standard normal number between 0 and x, over x, as a polynomial in x²: a least-squares fit up to
/// [`NEAR`], reweighted until the largest error was least. That of the error function is 1.3e-9.
const CENTRE: [f32; 7] = [
    0.398_942_27,
    -0.066_490_27,
    0.009_973_01,
    -0.001_186_143,
    0.000_114_104_48,
    -8.629_875e-6,
    3.995_905e-7,
];
/// The probability of a standard normal number above a, over e^(-a²/2), as a polynomial in t = 1 / (1 + 0.33 a) without a
/// constant, fitted in the same way. The error of the error function is 6e-9.
const TAIL: [f32; 7] = [
    0.132_416_76,
    0.121_091_08,
    0.175_541_1,
    -0.079_629_49,
    0.321_779_64,
    -0.215_707_88,
    0.044_508_796,
];
const SLOPE: f32 = 0.33;
/// 1 / √(2π)
const DENSITY: f32 = 0.398_942_3;
/// Values in a task.
const BLOCK: usize = 16 * 1024;

/// The probability of a standard normal number below `x`, and e^(-x²/2).
#[inline(always)]
fn normal(x: f32) -> (f32, f32) {
    let square = x * x;
    let power = exp(-0.5 * square);
    let t = 1.0 / SLOPE.mul_add(x.abs(), 1.0);
    let above = polynomial(TAIL, t) * t * power;
    let tail = if x < 0.0 { above } else { 1.0 - above };
    let centre = polynomial(CENTRE, square).mul_add(x, 0.5);
    (if square < NEAR * NEAR { centre } else { tail }, power)
}

/// The polynomial with these coefficients, lowest power first.
#[inline(always)]
fn polynomial(coefficients: [f32; 7], x: f32) -> f32 {
    let [a, b, c, d, e, f, g] = coefficients;
    g.mul_add(x, f).mul_add(x, e).mul_add(x, d).mul_add(x, c).mul_add(x, b).mul_add(x, a)
}

/// GELU of `input`, into `output`, on this thread.
pub(super) fn gelu(input: &[f32], output: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (y, &x) in output.iter_mut().zip(input) {
                *y = x * normal(x).0;
            }
        },
    );
}

/// GELU of `values` in their place, on this thread.
pub(super) fn gelu_in_place(values: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for x in values {
                *x *= normal(*x).0;
            }
        },
    );
}

/// GELU of `input`.
pub(crate) fn activated(input: &[f32]) -> Vec<f32> {
    let mut output = take(input.len());
    let blocks = output.par_chunks_mut(BLOCK).zip(input.par_chunks(BLOCK));
    blocks.for_each(|(output, input)| gelu(input, output));
    output
}

/// Turns `gradient` from that of GELU into that of its `input`.
pub(crate) fn activation_gradient(input: &[f32], gradient: &mut [f32]) {
    let blocks = gradient.par_chunks_mut(BLOCK).zip(input.par_chunks(BLOCK));
    blocks.for_each(|(gradient, input)| {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (g, &x) in gradient.iter_mut().zip(input) {
                    let (below, power) = normal(x);
                    *g *= (DENSITY * x).mul_add(power, below);
                }
            },
        );
    });
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::normal;

    /// The error function, by its series, or its continued fraction far from zero.
    fn erf(x: f64) -> f64 {
        let a = x.abs();
        let root = std::f64::consts::PI.sqrt();
        if a >= 3.0 {
            let fraction = (1..=60).rev().fold(0.0, |f, n| f64::from(n) / 2.0 / (a + f));
            return (1.0 - (-a * a).exp() / (root * (a + fraction))).copysign(x);
        }
        let (mut term, mut sum) = (a, a);
        for n in 1..120 {
            term *= -a * a / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        (2.0 / root * sum).copysign(x)
    }

    #[test]
    fn probabilities_are_within_half_a_ten_millionth_and_their_rounding() {
        // The probability is (1 + erf) / 2: half the error of the error function, 1e-7, and that of the sum in f32.
        let most = 0.5e-7 + f64::from(f32::EPSILON) / 4.0;
        let x: Vec<f32> = (-900_000..=900_000_i32).map(|i| i as f32 * 1e-5).collect();
        let mut below = vec![0.0_f32; x.len()];
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (below, &x) in below.iter_mut().zip(&x) {
                    *below = normal(x).0;
                }
            },
        );
        for (&x, &below) in x.iter().zip(&below) {
            let exact = 0.5 + 0.5 * erf(f64::from(x) / std::f64::consts::SQRT_2);
            let off = (f64::from(below) - exact).abs();
            assert!(off < most, "{x}: off by {off:e}");
        }
    }
}
