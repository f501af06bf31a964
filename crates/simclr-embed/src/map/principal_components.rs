//! The two directions in which vectors differ most.

use nalgebra::DMatrix;
use rand::Rng;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use crate::error::EmbedError;
use crate::vectors::{Features, LeadingDirections, unit};

/// Iterations that make two directions exact.
const ITERATIONS: usize = 30;

/// The first two principal components of some vectors at length 1.
///
/// ```
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use simclr_embed::{Features, PrincipalComponents};
///
/// let features = Features::new(vec![1.0, 0.0, 1.0, 0.1, 0.0, 1.0], 2);
/// let components = PrincipalComponents::new(&features, &mut ChaCha8Rng::seed_from_u64(0))?;
/// assert_eq!(components.places.len(), 3);
/// assert!(components.explained[0] > 0.99, "three points of which two are nearly the same");
/// # Ok::<(), simclr_embed::EmbedError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PrincipalComponents {
    /// Each vector's place.
    pub places: Vec<[f64; 2]>,
    /// The share of all variance in each direction, in 0..=1; 0 where nothing varies.
    pub explained: [f64; 2],
}

impl PrincipalComponents {
    /// The most vectors that the directions are found from. All get a place.
    pub const MOST_DRAWN: usize = 10_000;

    /// The components of `features`, found by iterating a block of directions (Halko et al. 2011, algorithm 4.4).
    ///
    /// `random` draws where the iteration starts, and [`MOST_DRAWN`](Self::MOST_DRAWN) vectors of a larger set. A component's sign is chosen such that the place
    /// farthest from 0 is positive.
    ///
    /// # Errors
    ///
    /// [`EmbedError::NoImages`] and [`EmbedError::NotFinite`].
    pub fn new(features: &Features, random: &mut impl Rng) -> Result<Self, EmbedError> {
        features.check("set")?;
        let mut rows: Vec<usize> = (0..features.len()).collect();
        if rows.len() > Self::MOST_DRAWN {
            let (drawn, _) = rows.partial_shuffle(random, Self::MOST_DRAWN);
            rows = drawn.to_vec();
        }
        let values = rows.iter().flat_map(|&row| unit(features.row(row)));
        let drawn = DMatrix::from_row_iterator(rows.len(), features.size(), values);
        let directions = LeadingDirections::new(drawn, 2, ITERATIONS, random);
        let places = (0..features.len()).into_par_iter();
        let places = places.map(|row| both(&directions.place(unit(features.row(row)))));
        let places = places.collect();
        Ok(Self { places: upright(places), explained: both(&directions.explained) })
    }
}

/// The values of both axes: where nothing varies, or there is a single value, one is missing.
fn both(found: &[f64]) -> [f64; 2] {
    [0, 1].map(|axis| found.get(axis).copied().unwrap_or(0.0))
}

/// Multiplies each axis by 1 or -1, such that the place farthest from 0 is positive.
fn upright(mut places: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    for axis in 0..2 {
        let along = places.iter().map(|place| place[axis]);
        let farthest = along.max_by(|a, b| a.abs().total_cmp(&b.abs()));
        let sign = farthest.map_or(1.0, f64::signum);
        for place in &mut places {
            place[axis] *= sign;
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
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

    /// The components of the rows of a matrix as they are.
    fn of(vectors: &DMatrix<f64>) -> PrincipalComponents {
        let directions = LeadingDirections::new(vectors.clone(), 2, ITERATIONS, &mut random());
        let places = vectors.row_iter().map(|row| both(&directions.place(row.iter().copied())));
        let places = upright(places.collect());
        PrincipalComponents { places, explained: both(&directions.explained) }
    }

    #[test]
    fn components_are_those_of_the_covariance_matrix() {
        let vectors = cloud(60, 12);
        let found = of(&vectors);

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
        let found = of(&DMatrix::from_element(5, 3, 0.7));
        assert_eq!(found.places, [[0.0; 2]; 5]);
        assert!(found.explained.iter().all(|share| share.abs() < f64::EPSILON));
    }

    #[test]
    fn one_vector_and_one_dimension_have_places_too() {
        let found = of(&DMatrix::from_element(1, 4, 2.0));
        assert_eq!(found.places, [[0.0; 2]]);
        let line = DMatrix::from_column_slice(3, 1, &[0.0, 1.0, 5.0]);
        let found = of(&line);
        assert!(found.places.iter().all(|place| place[1] == 0.0));
        assert!(
            (found.places[2][0] - 3.0).abs() < 1e-12 && (found.explained[0] - 1.0).abs() < 1e-12
        );
    }

    #[test]
    fn a_draw_of_a_large_set_has_nearly_the_directions_of_all() {
        let len = PrincipalComponents::MOST_DRAWN + 5000;
        let cloud = cloud(len, 4);
        let values: Vec<f32> = (0..len * 4).map(|at| cloud[(at / 4, at % 4)] as f32).collect();
        let features = Features::new(values, 4);
        let drawn = PrincipalComponents::new(&features, &mut random()).unwrap();
        let all = features.rows().flat_map(unit);
        let all = of(&DMatrix::from_row_iterator(len, 4, all));
        for axis in 0..2 {
            assert!((drawn.explained[axis] - all.explained[axis]).abs() < 0.02);
            let wrong =
                drawn.places.iter().zip(&all.places).map(|(a, b)| (a[axis] - b[axis]).abs());
            assert!(wrong.fold(0.0, f64::max) < 0.05);
        }
    }

    #[test]
    fn features_that_are_no_numbers_are_refused() {
        let features = Features::new(vec![1.0, 0.0, f32::NAN, 1.0], 2);
        let error = PrincipalComponents::new(&features, &mut random()).unwrap_err();
        assert_eq!(error.to_string(), "expected finite features, found NaN in row 1 of the set");
    }
}
