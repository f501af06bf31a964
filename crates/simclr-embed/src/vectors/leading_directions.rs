//! The directions in which vectors differ most.

use nalgebra::DMatrix;
use rand::{Rng, RngExt};

/// Directions that are iterated beside those that are asked for, so that these settle sooner.
const BESIDE: usize = 6;

/// The principal directions of some vectors, the one of the largest variance first, found by iterating a block of directions (Halko et al. 2011, algorithm 4.4). That
/// takes a second where all eigenvectors of a wide encoder would take minutes.
pub(crate) struct LeadingDirections {
    /// `[d]`.
    pub(crate) mean: Vec<f64>,
    /// `[d, count]`, of length 1; fewer columns only if there are fewer vectors or values, or if nothing varies.
    pub(crate) directions: DMatrix<f64>,
    /// The share of all variance in each, in 0..=1.
    pub(crate) explained: Vec<f64>,
}

impl LeadingDirections {
    /// `count` directions of the rows of `vectors`, `[n, d]`. `random` draws where the iteration starts; each of the `iterations` multiplies what is left of a direction of half
    /// the variance by a quarter or less.
    pub(crate) fn new(
        vectors: DMatrix<f64>,
        count: usize,
        iterations: usize,
        random: &mut impl Rng,
    ) -> Self {
        let mut centred = vectors;
        let mut mean = Vec::with_capacity(centred.ncols());
        for mut column in centred.column_iter_mut() {
            mean.push(column.mean());
            column.add_scalar_mut(-column.mean());
        }
        let (n, d) = centred.shape();
        let variance = centred.norm_squared();
        if variance <= f64::EPSILON * n as f64 {
            return Self { mean, directions: DMatrix::zeros(d, 0), explained: Vec::new() };
        }
        let block = (count + BESIDE).min(n).min(d);
        let mut directions = DMatrix::from_fn(d, block, |_, _| random.random_range(-1.0..1.0));
        for _ in 0..iterations {
            let turned = centred.tr_mul(&(&centred * &directions)); // [d, block]
            directions = turned.qr().q();
        }
        let scores = &centred * &directions; // [n, block]
        let eigen = scores.tr_mul(&scores).symmetric_eigen();
        let mut order: Vec<usize> = (0..block).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        order.truncate(count);
        let columns: Vec<_> =
            order.iter().map(|&index| &directions * eigen.eigenvectors.column(index)).collect();
        let explained =
            order.iter().map(|&index| (eigen.eigenvalues[index] / variance).clamp(0.0, 1.0));
        Self { mean, explained: explained.collect(), directions: DMatrix::from_columns(&columns) }
    }

    /// Where `vector` lies along each direction, seen from the mean.
    pub(crate) fn place(&self, vector: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut place = vec![0.0; self.directions.ncols()];
        for ((value, mean), shares) in vector.zip(&self.mean).zip(self.directions.row_iter()) {
            for (along, share) in place.iter_mut().zip(shares.iter()) {
                *along += (value - mean) * share;
            }
        }
        place
    }
}
