//! Fourier transforms of square grids, for convolutions on them.

use std::f64::consts::TAU;

use rayon::prelude::*;

/// Columns that are transformed together: a butterfly of rows of so many values is one loop without a branch.
const STRIP: usize = 16;

/// Complex values on a square grid, row by row: real and imaginary parts apart, for the compiler's vectors.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plane {
    pub(super) re: Vec<f32>,
    pub(super) im: Vec<f32>,
}

impl Plane {
    /// Zeros, `[side, side]`.
    pub(super) fn zeros(side: usize) -> Self {
        Self { re: vec![0.0; side * side], im: vec![0.0; side * side] }
    }
}

/// The discrete Fourier transform of grids of `side` x `side` nodes.
///
/// A spectrum is in an order of its own, bit-reversed along both axes: what multiplies two spectra need not know it, and the transforms need not sort (Gentleman and Sande
/// 1966 forth, Cooley and Tukey 1965 back). Every value is computed in one order on any number of threads.
#[derive(Debug)]
pub(super) struct Fourier {
    side: usize,
    /// Real and imaginary part of `exp(-2 pi i k / side)` for k below the side.
    roots: Vec<[f32; 2]>,
}

impl Fourier {
    /// For a `side` that is a power of two and at least [`STRIP`].
    pub(super) fn new(side: usize) -> Self {
        assert!(
            side.is_power_of_two() && side >= STRIP,
            "expected a power of two from {STRIP} on, found {side}"
        );
        let angle = |k: usize| -TAU * k as f64 / side as f64;
        let root = |k| [angle(k).cos() as f32, angle(k).sin() as f32];
        Self { side, roots: (0..side).map(root).collect() }
    }

    /// Replaces `plane` by its spectrum. Rows and columns from `filled` on are zero. `scratch` is overwritten.
    pub(super) fn forward(&self, plane: &mut Plane, filled: usize, scratch: &mut Plane) {
        self.columns(plane, scratch, filled, Self::analyse);
        self.columns(scratch, plane, self.side, Self::analyse);
    }

    /// Replaces a spectrum by its plane times `side²`, of which the rows from `wanted` on are left zero. `scratch` is
    /// overwritten.
    pub(super) fn backward(&self, spectrum: &mut Plane, wanted: usize, scratch: &mut Plane) {
        self.columns(spectrum, scratch, self.side, Self::synthesise);
        self.columns(scratch, spectrum, wanted, Self::synthesise);
    }

    /// Transforms the first `count` columns of `from` into rows of `to`; the other rows become zero.
    fn columns(
        &self,
        from: &Plane,
        to: &mut Plane,
        count: usize,
        transform: fn(&Self, &mut Strip),
    ) {
        let (side, rows) = (self.side, STRIP * self.side);
        let strips = to.re.par_chunks_mut(rows).zip(to.im.par_chunks_mut(rows)).enumerate();
        strips.for_each(|(strip, (to_re, to_im))| {
            let first = strip * STRIP;
            if first >= count {
                to_re.fill(0.0);
                to_im.fill(0.0);
                return;
            }
            let mut strip = Strip {
                re: from.re.chunks_exact(side).map(|row| lanes(row, first)).collect(),
                im: from.im.chunks_exact(side).map(|row| lanes(row, first)).collect(),
            };
            transform(self, &mut strip);
            for (to, strip) in [(to_re, &strip.re), (to_im, &strip.im)] {
                for (lane, row) in to.chunks_exact_mut(side).enumerate() {
                    for (to, lanes) in row.iter_mut().zip(strip) {
                        *to = lanes[lane];
                    }
                }
            }
        });
    }

    /// From values in order to a spectrum in bit-reversed order: two halvings at a time, and at last one if their
    /// number is odd.
    fn analyse(&self, strip: &mut Strip) {
        let mut length = self.side;
        while length >= 4 {
            let stride = self.side / length;
            strip.fours(length / 4, |k, re, im| {
                let [first, second, third] = [1, 2, 3].map(|times| self.roots[times * k * stride]);
                let [[a_re, b_re, c_re, d_re], [a_im, b_im, c_im, d_im]] = [re, im];
                for lane in 0..STRIP {
                    let (sum_re, sum_im) = (a_re[lane] + c_re[lane], a_im[lane] + c_im[lane]);
                    let (other_re, other_im) = (b_re[lane] + d_re[lane], b_im[lane] + d_im[lane]);
                    let (re, im) = (a_re[lane] - c_re[lane], a_im[lane] - c_im[lane]);
                    // Times -i.
                    let (turned_re, turned_im) = (b_im[lane] - d_im[lane], d_re[lane] - b_re[lane]);
                    (a_re[lane], a_im[lane]) = (sum_re + other_re, sum_im + other_im);
                    [b_re[lane], b_im[lane]] = times(sum_re - other_re, sum_im - other_im, second);
                    [c_re[lane], c_im[lane]] = times(re + turned_re, im + turned_im, first);
                    [d_re[lane], d_im[lane]] = times(re - turned_re, im - turned_im, third);
                }
            });
            length /= 4;
        }
        if length == 2 {
            strip.twos();
        }
    }

    /// From a spectrum in bit-reversed order to values in order, times the side: the other one's steps from the last
    /// to the first.
    fn synthesise(&self, strip: &mut Strip) {
        let mut length = 1;
        if !self.side.ilog2().is_multiple_of(2) {
            strip.twos();
            length = 2;
        }
        while length < self.side {
            length *= 4;
            let stride = self.side / length;
            strip.fours(length / 4, |k, re, im| {
                // The conjugates.
                let [first, second, third] = [1, 2, 3].map(|times| {
                    let [re, im] = self.roots[times * k * stride];
                    [re, -im]
                });
                let [[a_re, b_re, c_re, d_re], [a_im, b_im, c_im, d_im]] = [re, im];
                for lane in 0..STRIP {
                    let [b0, b1] = times(b_re[lane], b_im[lane], second);
                    let [c0, c1] = times(c_re[lane], c_im[lane], first);
                    let [d0, d1] = times(d_re[lane], d_im[lane], third);
                    let (sum_re, sum_im) = (a_re[lane] + b0, a_im[lane] + b1);
                    let (other_re, other_im) = (a_re[lane] - b0, a_im[lane] - b1);
                    let (re, im) = (c0 + d0, c1 + d1);
                    // Times i.
                    let (turned_re, turned_im) = (d1 - c1, c0 - d0);
                    (a_re[lane], a_im[lane]) = (sum_re + re, sum_im + im);
                    (b_re[lane], b_im[lane]) = (other_re + turned_re, other_im + turned_im);
                    (c_re[lane], c_im[lane]) = (sum_re - re, sum_im - im);
                    (d_re[lane], d_im[lane]) = (other_re - turned_re, other_im - turned_im);
                }
            });
        }
    }
}

/// A complex product.
fn times(re: f32, im: f32, by: [f32; 2]) -> [f32; 2] {
    [re * by[0] - im * by[1], re * by[1] + im * by[0]]
}

/// The values of a strip in one row.
type Lanes = [f32; STRIP];

fn lanes(row: &[f32], first: usize) -> Lanes {
    std::array::from_fn(|lane| row[first + lane])
}

/// Some columns, beside each other.
struct Strip {
    re: Vec<Lanes>,
    im: Vec<Lanes>,
}

impl Strip {
    /// Calls `butterfly` for all fours of rows that are `quarter` apart, with the first one's place in its quarter.
    fn fours(
        &mut self,
        quarter: usize,
        mut butterfly: impl FnMut(usize, [&mut Lanes; 4], [&mut Lanes; 4]),
    ) {
        let blocks =
            self.re.chunks_exact_mut(4 * quarter).zip(self.im.chunks_exact_mut(4 * quarter));
        for (re, im) in blocks {
            for (k, (re, im)) in apart(re, quarter).zip(apart(im, quarter)).enumerate() {
                butterfly(k, re, im);
            }
        }
    }

    /// Sum and difference of rows beside each other.
    fn twos(&mut self) {
        for plane in [&mut self.re, &mut self.im] {
            for [a, b] in plane.as_chunks_mut().0 {
                for (a, b) in a.iter_mut().zip(b) {
                    (*a, *b) = (*a + *b, *a - *b);
                }
            }
        }
    }
}

/// The fours of rows of a block that are `quarter` apart.
fn apart(block: &mut [Lanes], quarter: usize) -> impl Iterator<Item = [&mut Lanes; 4]> {
    let (front, back) = block.split_at_mut(2 * quarter);
    let ((a, b), (c, d)) = (front.split_at_mut(quarter), back.split_at_mut(quarter));
    a.iter_mut().zip(b).zip(c.iter_mut().zip(d)).map(|((a, b), (c, d))| [a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn random_plane(side: usize, filled: usize) -> Plane {
        let mut random = ChaCha8Rng::seed_from_u64(side as u64);
        let mut plane = Plane::zeros(side);
        for at in 0..side * side {
            if at % side < filled && at / side < filled {
                plane.re[at] = random.random_range(-1.0..1.0);
                plane.im[at] = random.random_range(-1.0..1.0);
            }
        }
        plane
    }

    fn bit_reversed(at: usize, side: usize) -> usize {
        at.reverse_bits() >> (usize::BITS - side.ilog2())
    }

    #[test]
    fn a_spectrum_is_that_of_the_definition_in_bit_reversed_order() {
        for side in [16, 32] {
            let plane = random_plane(side, side);
            let mut spectrum = plane.clone();
            Fourier::new(side).forward(&mut spectrum, side, &mut Plane::zeros(side));
            for (row, column) in [(0, 0), (1, 0), (0, 3), (5, 9), (side - 1, side / 2)] {
                let mut expected = [0.0; 2];
                for y in 0..side {
                    for x in 0..side {
                        let angle = -TAU * (y * row + x * column) as f64 / side as f64;
                        let [re, im] = [&plane.re, &plane.im].map(|v| f64::from(v[y * side + x]));
                        expected[0] += re * angle.cos() - im * angle.sin();
                        expected[1] += re * angle.sin() + im * angle.cos();
                    }
                }
                let at = bit_reversed(row, side) * side + bit_reversed(column, side);
                let found = [spectrum.re[at], spectrum.im[at]].map(f64::from);
                let error = (found[0] - expected[0]).hypot(found[1] - expected[1]);
                assert!(error < 1e-4, "{side}: ({row}, {column}) is {found:?}, not {expected:?}");
            }
        }
    }

    #[test]
    fn back_is_where_it_came_from() {
        for (side, filled) in [(16, 16), (64, 32), (128, 64)] {
            let plane = random_plane(side, filled);
            let (mut there, mut scratch) = (plane.clone(), Plane::zeros(side));
            let fourier = Fourier::new(side);
            fourier.forward(&mut there, filled, &mut scratch);
            fourier.backward(&mut there, filled, &mut scratch);
            for (found, expected) in [(&there.re, &plane.re), (&there.im, &plane.im)] {
                for (found, expected) in found.iter().zip(expected) {
                    assert!((found / (side * side) as f32 - expected).abs() < 1e-5);
                }
            }
        }
    }
}
