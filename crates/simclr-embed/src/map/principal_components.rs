//! The two directions in which vectors differ most.

use nalgebra::DMatrix;
use rand::{Rng, RngExt};

use crate::vectors::UnitVectors;

/// Directions that are iterated together: more than are asked for, so that those settle sooner.
const BLOCK: usize = 8;
/// Iterations: each multiplies what is left of a direction of half the variance by a quarter or less.
const ITERATIONS: usize = 30;

/// The first two principal components of some vectors.
///
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use simclr_embed::{Features, PrincipalComponents, UnitVectors};
///
/// let vectors = UnitVectors::new(&Features::new(vec![1.0, 0.0, 1.0, 0.1, 0.0, 1.0], 2));
/// let components = PrincipalComponents::new(&vectors, &mut ChaCha8Rng::seed_from_u64(0));
/// assert_eq!(components.places.len(), 3);
/// assert!(components.explained[0] > 0.99, "three points of which two are nearly the same");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PrincipalComponents {
    /// Each vector's place.
    pub places: Vec<[f64; 2]>,
    /// The share of all variance in each direction, in 0..=1; 0 where nothing varies.
    pub explained: [f64; 2],
}

impl PrincipalComponents {
    /// The components of `vectors`, found by iterating a block of directions (Halko et al. 2011, algorithm 4.4). That
    /// takes a second where all eigenvectors of a wide encoder would take minutes.
    ///
    /// `random` draws where the iteration starts. A component's sign is chosen such that the place
    /// farthest from 0 is positive.
    #[must_use]
    pub fn new(vectors: &UnitVectors, random: &mut impl Rng) -> Self {
        Self::of(&vectors.rows, random)
    }

    /// The components of the rows of `vectors`, `[n, d]`.
    fn of(vectors: &DMatrix<f64>, random: &mut impl Rng) -> Self {
        let mut centred = vectors.clone();
        for mut column in centred.column_iter_mut() {
            let mean = column.mean();
            column.add_scalar_mut(-mean);
        }
        let (n, d) = centred.shape();
        let variance = centred.norm_squared();
        let block = BLOCK.min(n).min(d);
        let mut directions = DMatrix::from_fn(d, block, |_, _| random.random_range(-1.0..1.0));
        for _ in 0..ITERATIONS {
            let turned = centred.tr_mul(&(&centred * &directions)); // [d, block]
            directions = turned.qr().q();
        }
        let scores = &centred * directions; // [n, block]
        let eigen = scores.tr_mul(&scores).symmetric_eigen();
        let mut order: Vec<usize> = (0..block).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));

        let mut components = Self { places: vec![[0.0; 2]; n], explained: [0.0; 2] };
        if variance <= f64::EPSILON * n as f64 {
            return components;
        }
        for (axis, &index) in order.iter().take(2).enumerate() {
            let scores = &scores * eigen.eigenvectors.column(index);
            let farthest = scores.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
            let sign = farthest.map_or(1.0, f64::signum);
            for (place, score) in components.places.iter_mut().zip(scores.iter()) {
                place[axis] = sign * score;
            }
            components.explained[axis] = (eigen.eigenvalues[index] / variance).clamp(0.0, 1.0);
        }
        components
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn random() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(3)
    }

    /// A cloud that is long in one direction, less so in another, and thin in all others.
    fn cloud(n: usize, d: usize) -> DMatrix<f64> {
        let mut random = random();
        DMatrix::from_fn(n, d, |_, column| {
            let length = [9.0, 3.0].get(column).copied().unwrap_or(0.5);
            length * random.random_range(-1.0..1.0) + column as f64
        })
    }

    #[test]
    fn components_are_those_of_the_covariance_matrix() {
        let vectors = cloud(60, 12);
        let found = PrincipalComponents::of(&vectors, &mut random());

        let mut centred = vectors.clone();
        for mut column in centred.column_iter_mut() {
            let mean = column.mean();
            column.add_scalar_mut(-mean);
        }
        let eigen = (centred.transpose() * &centred).symmetric_eigen();
        let mut order: Vec<usize> = (0..12).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        for axis in 0..2 {
            let share = eigen.eigenvalues[order[axis]] / eigen.eigenvalues.sum();
            assert!((found.explained[axis] - share).abs() < 1e-9, "{share}");
            let expected = &centred * eigen.eigenvectors.column(order[axis]);
            let product: f64 =
                found.places.iter().zip(expected.iter()).map(|(a, b)| a[axis] * b).sum();
            let norms = expected.norm()
                * found.places.iter().map(|p| p[axis] * p[axis]).sum::<f64>().sqrt();
            assert!((product.abs() / norms - 1.0).abs() < 1e-9, "{product} of {norms}");
        }
    }

    #[test]
    fn vectors_that_are_all_the_same_lie_on_one_point() {
        let found = PrincipalComponents::of(&DMatrix::from_element(5, 3, 0.7), &mut random());
        assert_eq!(found.places, [[0.0; 2]; 5]);
        assert!(found.explained.iter().all(|share| share.abs() < f64::EPSILON));
    }

    #[test]
    fn one_vector_and_one_dimension_have_places_too() {
        let found = PrincipalComponents::of(&DMatrix::from_element(1, 4, 2.0), &mut random());
        assert_eq!(found.places, [[0.0; 2]]);
        let line = DMatrix::from_column_slice(3, 1, &[0.0, 1.0, 5.0]);
        let found = PrincipalComponents::of(&line, &mut random());
        assert!(found.places.iter().all(|place| place[1] == 0.0));
        assert!(
            (found.places[2][0] - 3.0).abs() < 1e-12 && (found.explained[0] - 1.0).abs() < 1e-12
        );
    }
}
