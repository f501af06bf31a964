//! Whether a picture is a copy of another, once it lies on it.

use super::alignment::align;
use super::correlation::Correlation;
use super::fingerprint::{CHROMA, Fingerprint};
use super::placement::Placement;
use super::pyramid::{Pyramid, laid_under};

/// The least correlations of copies, and the largest root mean square difference of their colours, in 1/255. Copies and other photos lie far
/// apart: `docs/curate.md` has figures.
const LEAST_BRIGHTNESS: f64 = 0.85;
const LEAST_EDGES: f64 = 0.87;
const LARGEST_COLOR: f64 = 12.0;
/// The largest differences of mean brightness and colours, of what is laid over each other at all.
const LARGEST_MEANS: [f64; 3] = [32.0, 12.0, 12.0];
/// Pictures whose brightness deviates less than this (1/255) have nothing to align; they are equal if their means differ by no more.
const FLAT: f64 = 1.5;
/// Images with a side shorter than this are compared with 32 x 32 pixels instead of 64 x 64.
const SMALL: u32 = 48;

/// A fingerprint, ready to be laid over others.
pub(super) struct Prepared {
    pyramid: Pyramid,
    /// Mean brightness and colours.
    means: [f64; 3],
    is_flat: bool,
    is_small: bool,
}

/// How alike two copies are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Likeness {
    /// Normalised correlation of the gradients of brightness, up to 1.
    pub(super) edges: f64,
    /// Whether one shows the other in a mirror.
    pub(super) mirrored: bool,
}

impl Prepared {
    pub(super) fn new(print: &Fingerprint) -> Self {
        let pyramid = Pyramid::new(print);
        let planes = [&pyramid.levels[2], &pyramid.chroma[0], &pyramid.chroma[1]];
        let means = planes.map(|plane| mean(plane.iter().map(|&x| f64::from(x))));
        let square = mean(pyramid.levels[2].iter().map(|&x| (f64::from(x) - means[0]).powi(2)));
        Self {
            means,
            is_flat: square.sqrt() < FLAT,
            is_small: print.width().min(print.height()) < SMALL,
            pyramid,
        }
    }

    /// The likeness of a copy; `None` if `other` is another picture.
    pub(super) fn copy(&self, other: &Self) -> Option<Likeness> {
        let off = |at: usize| (self.means[at] - other.means[at]).abs();
        if (0..3).any(|at| off(at) > LARGEST_MEANS[at]) {
            return None;
        }
        if self.is_flat || other.is_flat {
            let equal = self.is_flat && other.is_flat && (0..3).all(|at| off(at) <= FLAT);
            return equal.then_some(Likeness { edges: 1.0, mirrored: false });
        }
        let finest = if self.is_small || other.is_small { 1 } else { 2 };
        let copy = |other: &Pyramid, mirrored| {
            let placement = align(&self.pyramid, other, finest)?;
            let edges = edges(&self.pyramid, other, finest, placement)?;
            Some(Likeness { edges, mirrored })
        };
        let [plain, mirrored] =
            [copy(&other.pyramid, false), copy(&other.pyramid.mirrored(), true)];
        match (plain, mirrored) {
            // A symmetric picture is as good in a mirror.
            (Some(plain), Some(mirrored)) if plain.edges < mirrored.edges => Some(mirrored),
            (plain, mirrored) => plain.or(mirrored),
        }
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

/// How the gradients of brightness correlate with `b` at this place in `a`; `None` if that, brightness or colours are not those of a copy.
fn edges(a: &Pyramid, b: &Pyramid, level: usize, placement: Placement) -> Option<f64> {
    let (laid, target) = (laid_under(&a.levels[level], placement), &b.levels[level]);
    let side = target.len().isqrt();
    let mut brightness = Correlation::default();
    for (value, &target) in laid.iter().zip(target) {
        if let Some(value) = *value {
            brightness.add(value, f64::from(target));
        }
    }
    if brightness.value() < LEAST_BRIGHTNESS || color(a, b, placement) > LARGEST_COLOR {
        return None;
    }
    let (mut product, mut squares) = (0.0, [0.0; 2]);
    for row in 1..side - 1 {
        for place in row * side + 1..(row + 1) * side - 1 {
            for step in [1, side] {
                let (Some(after), Some(before)) = (laid[place + step], laid[place - step]) else {
                    continue;
                };
                let here = after - before;
                let there = f64::from(target[place + step]) - f64::from(target[place - step]);
                product += here * there;
                squares[0] += here * here;
                squares[1] += there * there;
            }
        }
    }
    let length = (squares[0] * squares[1]).sqrt();
    let edges = if length > 0.0 { product / length } else { 0.0 };
    (edges >= LEAST_EDGES).then_some(edges)
}

/// The root mean square difference of the colours.
fn color(a: &Pyramid, b: &Pyramid, placement: Placement) -> f64 {
    let (mut squares, mut count) = (0.0, 0);
    for (a, b) in a.chroma.iter().zip(&b.chroma) {
        debug_assert_eq!(a.len(), CHROMA * CHROMA);
        for (value, &target) in laid_under(a, placement).iter().zip(b) {
            if let Some(value) = *value {
                squares += (value - f64::from(target)).powi(2);
                count += 1;
            }
        }
    }
    (squares / f64::from(count.max(1))).sqrt()
}
