//! GELU: x times the probability that a standard normal number is smaller (Hendrycks and Gimpel 2016).

use pulp::Arch;
use rayon::prelude::*;

use super::exp::exp;

/// The probability of a standard normal number above `a`, over e^(-a²/2), as a polynomial in t = 1 / (1 + 0.33 a) without
/// a constant: a least-squares fit, reweighted until the largest error was least. That of the error function is 6e-9.
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
    let a = x.abs();
    let power = exp(-0.5 * x * x);
    let t = 1.0 / SLOPE.mul_add(a, 1.0);
    let mut tail = TAIL[6];
    tail = tail.mul_add(t, TAIL[5]);
    tail = tail.mul_add(t, TAIL[4]);
    tail = tail.mul_add(t, TAIL[3]);
    tail = tail.mul_add(t, TAIL[2]);
    tail = tail.mul_add(t, TAIL[1]);
    tail = tail.mul_add(t, TAIL[0]);
    let above = tail * t * power;
    (if x < 0.0 { above } else { 1.0 - above }, power)
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
pub(crate) fn gelu_in_place(values: &mut [f32]) {
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
    let mut output = vec![0.0; input.len()];
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
