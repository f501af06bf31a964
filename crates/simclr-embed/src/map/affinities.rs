//! How likely two vectors are neighbours.

use nalgebra::DMatrix;
use rayon::prelude::*;

/// Halvings that find the width of a point's neighbourhood.
const WIDTH_STEPS: usize = 64;

/// The joint probabilities p of t-SNE:
///
/// ```text
/// p(j | i) ~ exp(-d_ij² b_i),  p_ij = (p(j | i) + p(i | j)) / 2n
/// ```
///
/// where `b_i` gives p(. | i) the wanted perplexity.
#[derive(Debug)]
pub(super) struct Affinities {
    /// `[n, n]`, row by row; sums to 1.
    values: Vec<f64>,
    points: usize,
}

impl Affinities {
    /// Between the rows of `vectors`, `[n, d]`, by their squared distances `d_ij²`.
    pub(super) fn new(vectors: &DMatrix<f64>, perplexity: f64) -> Self {
        let points = vectors.nrows();
        let gram = vectors * vectors.transpose();
        let conditional: Vec<Vec<f64>> = (0..points)
            .into_par_iter()
            .map(|i| {
                let squared = |j| (gram[(i, i)] + gram[(j, j)] - 2.0 * gram[(i, j)]).max(0.0);
                conditional(i, &(0..points).map(squared).collect::<Vec<_>>(), perplexity)
            })
            .collect();
        let joint =
            |i: usize, j: usize| (conditional[i][j] + conditional[j][i]) / (2.0 * points as f64);
        let pairs = (0..points).flat_map(|i| (0..points).map(move |j| (i, j)));
        Self { values: pairs.map(|(i, j)| joint(i, j)).collect(), points }
    }

    /// Number of points n.
    pub(super) fn points(&self) -> usize {
        self.points
    }

    /// `p_ij` for all j.
    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.points..][..self.points]
    }
}

/// p(j | i) for all j, from the squared distances: the width b is such that the distribution has the
/// wanted perplexity, exp(entropy).
fn conditional(i: usize, squared: &[f64], perplexity: f64) -> Vec<f64> {
    let others = || squared.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, &d)| d);
    let nearest = others().fold(f64::INFINITY, f64::min);
    let [mut low, mut high, mut b] = [0.0, f64::INFINITY, 1.0];
    for _ in 0..WIDTH_STEPS {
        // Relative to the nearest, so that not all of them vanish.
        let (mut sum, mut weighted) = (0.0, 0.0);
        for distance in others() {
            let weight = (-(distance - nearest) * b).exp();
            sum += weight;
            weighted += weight * (distance - nearest) * b;
        }
        let entropy = f64::ln(sum) + weighted / sum;
        if entropy > perplexity.ln() {
            low = b;
            b = if high.is_finite() { f64::midpoint(low, high) } else { 2.0 * b };
        } else {
            high = b;
            b = f64::midpoint(low, high);
        }
    }
    let weight = |(j, d): (usize, &f64)| if j == i { 0.0 } else { (-(d - nearest) * b).exp() };
    let weights: Vec<f64> = squared.iter().enumerate().map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn affinities_are_a_symmetric_distribution_of_the_asked_perplexity() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let vectors = DMatrix::from_fn(36, 6, |row, column| {
            let centre = if row / 12 == column { 4.0 } else { 0.0 };
            centre + 0.5 * random.random_range(-1.0..1.0)
        });
        let affinities = Affinities::new(&vectors, 35.0 / 3.0);
        let n = affinities.points();
        assert!((affinities.values.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for i in 0..n {
            assert_eq!(affinities.row(i)[i].to_bits(), 0);
            for j in 0..n {
                let difference = affinities.row(i)[j] - affinities.row(j)[i];
                assert!(difference.abs() < 1e-15);
            }
        }
        let squared: Vec<f64> =
            (0..n).map(|j| (vectors.row(4) - vectors.row(j)).norm_squared()).collect();
        let p = conditional(4, &squared, 11.0);
        let entropy: f64 = p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
        assert!((entropy.exp() - 11.0).abs() < 1e-6, "{}", entropy.exp());
    }
}
