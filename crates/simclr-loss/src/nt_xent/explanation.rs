//! NT-Xent with all its intermediate numbers.

use std::fmt;

use crate::temperature::Temperature;

/// Every number of one NT-Xent computation, in f64, as [`NaiveNtXent::explain`] returns them.
///
/// Views are numbered 0 to 2n - 1, the n of view a before the n of view b. `Display` prints the
/// similarity matrix and one line per anchor.
///
/// [`NaiveNtXent::explain`]: crate::NaiveNtXent::explain
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The temperature t.
    pub temperature: f64,
    /// Cosine of each pair of views, `[2n][2n]`, in -1..=1, before the division by t.
    pub cosines: Vec<Vec<f64>>,
    /// The numbers of each of the 2n anchors.
    pub anchors: Vec<Anchor>,
    /// The mean of [`Anchor::loss`] over the anchors.
    pub loss: f64,
}

/// The numbers of one anchor in an [`Explanation`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Anchor {
    /// The anchor i.
    pub anchor: usize,
    /// Its partner j: the other view of the same image.
    pub partner: usize,
    /// `exp(s_ij)`.
    pub numerator: f64,
    /// The sum of `exp(s_ik)` over all k but i.
    pub denominator: f64,
    /// l(i, j) = -ln(numerator / denominator), computed without overflow.
    pub loss: f64,
}

impl Explanation {
    pub(crate) fn new(z_a: &[Vec<f64>], z_b: &[Vec<f64>], temperature: Temperature) -> Self {
        let n = z_a.len();
        let t = temperature.get();
        let unit: Vec<Vec<f64>> = z_a.iter().chain(z_b).map(|row| normalize(row)).collect();
        let cosines: Vec<Vec<f64>> =
            unit.iter().map(|z_i| unit.iter().map(|z_k| dot(z_i, z_k)).collect()).collect();
        let anchors: Vec<Anchor> =
            (0..2 * n).map(|i| anchor(i, (i + n) % (2 * n), &cosines[i], t)).collect();
        let loss = anchors.iter().map(|a| a.loss).sum::<f64>() / anchors.len() as f64;
        Self { temperature: t, cosines, anchors, loss }
    }
}

fn anchor(i: usize, j: usize, cosines: &[f64], t: f64) -> Anchor {
    let others = || cosines.iter().enumerate().filter(|&(k, _)| k != i).map(|(_, c)| c / t);
    let shift = others().fold(f64::NEG_INFINITY, f64::max);
    let shifted_sum: f64 = others().map(|s| (s - shift).exp()).sum();
    Anchor {
        anchor: i,
        partner: j,
        numerator: (cosines[j] / t).exp(),
        denominator: others().map(f64::exp).sum(),
        loss: shifted_sum.ln() + shift - cosines[j] / t,
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn normalize(row: &[f64]) -> Vec<f64> {
    let norm = dot(row, row).max(1e-24).sqrt();
    row.iter().map(|x| x / norm).collect()
}

/// A sum of exponentials as text, which low temperatures make astronomical.
fn exponential(value: f64) -> String {
    if value < 1e6 { format!("{value:.4}") } else { format!("{value:.3e}") }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "cosine similarities of the 2n = {} views", self.cosines.len())?;
        for row in &self.cosines {
            for cosine in row {
                write!(f, "{cosine:>9.4}")?;
            }
            writeln!(f)?;
        }
        writeln!(f, "\nanchor partner  exp(s_ij)   sum of exp(s_ik)    l(i, j)")?;
        for a in &self.anchors {
            let Anchor { anchor, partner, loss, .. } = a;
            let [numerator, denominator] = [a.numerator, a.denominator].map(exponential);
            writeln!(f, "{anchor:>6} {partner:>7} {numerator:>10} {denominator:>18} {loss:>10.6}")?;
        }
        write!(
            f,
            "\nloss = {:.6}, the mean of l(i, j), at temperature {}",
            self.loss, self.temperature
        )
    }
}
