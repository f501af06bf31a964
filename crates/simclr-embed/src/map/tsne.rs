//! t-SNE: a map on which neighbours stay neighbours.

use nalgebra::DMatrix;
use rayon::prelude::*;

use super::affinities::Affinities;
use super::motion::{Motion, Places};
use crate::vectors::UnitVectors;

/// The perplexity, which is the effective number of a point's neighbours (scikit-learn's default); a third of the
/// other points in sets that are too small for it.
const PERPLEXITY: f64 = 30.0;
/// Steps, and those at first in which attraction is [exaggerated](EXAGGERATION), so that points can pass
/// each other on their way (van der Maaten and Hinton 2008, section 3.4; scikit-learn's values).
const STEPS: usize = 1000;
const EARLY_STEPS: usize = 250;
const EXAGGERATION: f64 = 12.0;
/// Momentum in the early steps, and after them.
const MOMENTUM: [f64; 2] = [0.5, 0.8];

/// t-SNE of some vectors (van der Maaten and Hinton 2008): places in the plane such that the probability that two
/// points are neighbours there, a heavy-tailed function of their distance, is as in the space of the vectors.
///
/// ```text
/// p_ij: how likely i and j are neighbours, by their distance as unit vectors
/// w_ij = 1 / (1 + |y_i - y_j|²),  q_ij = w_ij / sum of all w
/// cost = sum of p_ij ln(p_ij / q_ij)
/// ```
///
/// All pairs are compared in each step, in an order that does not depend on the number of threads. A map
/// needs that: steps enlarge the last digit of a sum until points end up elsewhere.
///
/// ```
/// use simclr_embed::{Features, Tsne, UnitVectors};
///
/// // Two directions, three vectors each.
/// let features = [[1.0, 0.0], [1.0, 0.1], [1.0, 0.2], [0.0, 1.0], [0.1, 1.0], [0.2, 1.0]];
/// let vectors = UnitVectors::new(&Features::new(features.concat(), 2));
/// let start = [[0.1, 0.0], [0.0, 0.1], [0.2, 0.3], [-0.1, 0.2], [0.3, 0.1], [-0.2, -0.3]];
/// let places = Tsne::new(&vectors).places(&start);
/// let distance = |a: usize, b: usize| {
///     (places[a][0] - places[b][0]).hypot(places[a][1] - places[b][1])
/// };
/// assert!(distance(0, 1) < distance(0, 4));
/// ```
#[derive(Debug)]
pub struct Tsne {
    affinities: Affinities,
}

impl Tsne {
    /// The fewest points that there is a map of: fewer have no neighbourhoods to keep.
    pub const FEWEST_POINTS: usize = 4;

    /// Compares all vectors, at least [`FEWEST_POINTS`](Self::FEWEST_POINTS): n² f64 are held.
    ///
    /// # Panics
    ///
    /// If there are fewer.
    #[must_use]
    pub fn new(vectors: &UnitVectors) -> Self {
        Self::of(&vectors.rows)
    }

    fn of(vectors: &DMatrix<f64>) -> Self {
        let (points, fewest) = (vectors.nrows(), Self::FEWEST_POINTS);
        assert!(points >= fewest, "expected at least {fewest} points, found {points}");
        let perplexity = PERPLEXITY.min((points - 1) as f64 / 3.0);
        Self { affinities: Affinities::new(vectors, perplexity) }
    }

    /// The map, from `start`, of which the shape counts and not the size: two components of a PCA, say.
    ///
    /// # Panics
    ///
    /// If there isn't one start for each vector.
    #[must_use]
    pub fn places(&self, start: &[[f64; 2]]) -> Vec<[f64; 2]> {
        let points = self.affinities.points();
        assert_eq!(start.len(), points, "expected one start for each vector");
        let mut places = Places::start(start);
        let rate = (points as f64 / EXAGGERATION / 4.0).max(50.0);
        let [mut along_x, mut along_y] = [Motion::new(points), Motion::new(points)];
        for step in 0..STEPS {
            let early = step < EARLY_STEPS;
            let gradient = self.gradient(&places, if early { EXAGGERATION } else { 1.0 });
            let momentum = MOMENTUM[usize::from(!early)];
            along_x.step(&mut places.x, &gradient.x, momentum, rate);
            along_y.step(&mut places.y, &gradient.y, momentum, rate);
            places.centre();
        }
        places.x.into_iter().zip(places.y).map(|(x, y)| [x, y]).collect()
    }

    /// The gradient of the cost by each place, with the affinities multiplied:
    /// `4 sum_j (p_ij - q_ij) w_ij (y_i - y_j)`.
    fn gradient(&self, places: &Places, exaggeration: f64) -> Places {
        let forces: Vec<Forces> = (0..self.affinities.points())
            .into_par_iter()
            .map(|i| Forces::on(i, places, self.affinities.row(i)))
            .collect();
        let total: f64 = forces.iter().map(|forces| forces.weight).sum();
        let along =
            |attraction: f64, repulsion: f64| 4.0 * (exaggeration * attraction - repulsion / total);
        Places {
            x: forces.iter().map(|f| along(f.attraction[0], f.repulsion[0])).collect(),
            y: forces.iter().map(|f| along(f.attraction[1], f.repulsion[1])).collect(),
        }
    }
}

/// What pulls and pushes one point.
struct Forces {
    /// `sum_j p_ij w_ij (y_i - y_j)`.
    attraction: [f64; 2],
    /// `sum_j w_ij² (y_i - y_j)`.
    repulsion: [f64; 2],
    /// `sum_j w_ij`, without the point itself.
    weight: f64,
}

impl Forces {
    fn on(i: usize, places: &Places, affinities: &[f64]) -> Self {
        let (x, y) = (places.x[i], places.y[i]);
        let mut forces = Self { attraction: [0.0; 2], repulsion: [0.0; 2], weight: 0.0 };
        for ((other_x, other_y), p) in places.x.iter().zip(&places.y).zip(affinities) {
            let (dx, dy) = (x - other_x, y - other_y);
            let w = 1.0 / (1.0 + dx * dx + dy * dy);
            let (pull, push) = (p * w, w * w);
            forces.attraction[0] += pull * dx;
            forces.attraction[1] += pull * dy;
            forces.repulsion[0] += push * dx;
            forces.repulsion[1] += push * dy;
            forces.weight += w;
        }
        forces.weight -= 1.0; // The point's own, at distance 0.
        forces
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// `groups` of `size` points each, far from one another.
    fn clusters(groups: usize, size: usize) -> DMatrix<f64> {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        DMatrix::from_fn(groups * size, 6, |row, column| {
            let centre = if row / size == column { 4.0 } else { 0.0 };
            centre + 0.5 * random.random_range(-1.0..1.0)
        })
    }

    fn start(points: usize) -> Vec<[f64; 2]> {
        let mut random = ChaCha8Rng::seed_from_u64(6);
        (0..points)
            .map(|_| [random.random_range(-1.0..1.0), random.random_range(-1.0..1.0)])
            .collect()
    }

    /// The cost by its definition.
    fn cost(tsne: &Tsne, places: &Places) -> f64 {
        let n = tsne.affinities.points();
        let w = |i: usize, j: usize| {
            let (dx, dy) = (places.x[i] - places.x[j], places.y[i] - places.y[j]);
            1.0 / (1.0 + dx * dx + dy * dy)
        };
        let pairs = || (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).filter(|(i, j)| i != j);
        let total: f64 = pairs().map(|(i, j)| w(i, j)).sum();
        pairs()
            .map(|(i, j)| {
                let (p, q) = (tsne.affinities.row(i)[j], w(i, j) / total);
                p * (p / q).ln()
            })
            .sum()
    }

    #[test]
    fn the_gradient_is_that_of_the_cost_by_finite_differences() {
        let tsne = Tsne::of(&clusters(2, 6));
        let start = start(12);
        let places = Places {
            x: start.iter().map(|place| 2.0 * place[0]).collect(),
            y: start.iter().map(|place| 2.0 * place[1]).collect(),
        };
        let gradient = tsne.gradient(&places, 1.0);
        let step = 1e-5;
        for i in 0..12 {
            let moved = |dx: f64, dy: f64| {
                let mut places = places.clone();
                places.x[i] += dx;
                places.y[i] += dy;
                cost(&tsne, &places)
            };
            let by_x = (moved(step, 0.0) - moved(-step, 0.0)) / (2.0 * step);
            let by_y = (moved(0.0, step) - moved(0.0, -step)) / (2.0 * step);
            assert!((gradient.x[i] - by_x).abs() < 1e-8, "{} and {by_x}", gradient.x[i]);
            assert!((gradient.y[i] - by_y).abs() < 1e-8, "{} and {by_y}", gradient.y[i]);
        }
    }

    #[test]
    fn clusters_stay_together_and_apart_from_others() {
        let places = Tsne::of(&clusters(3, 20)).places(&start(60));
        let squared = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
        for (i, &place) in places.iter().enumerate() {
            let nearest = (0..60)
                .filter(|j| *j != i)
                .min_by(|&a, &b| squared(place, places[a]).total_cmp(&squared(place, places[b])));
            assert_eq!(nearest.unwrap() / 20, i / 20, "point {i}");
        }
    }

    #[test]
    fn a_map_is_the_same_for_any_number_of_threads() {
        let vectors = clusters(3, 15);
        let places = || Tsne::of(&vectors).places(&start(45));
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(alone.install(places), places());
    }

    #[test]
    fn vectors_that_are_all_the_same_still_have_finite_places() {
        let places = Tsne::of(&DMatrix::from_element(9, 3, 0.5)).places(&start(9));
        assert!(places.iter().flatten().all(|x| x.is_finite()), "{places:?}");
        let heap = Tsne::of(&DMatrix::zeros(4, 3)).places(&[[0.0; 2]; 4]);
        assert!(heap.iter().flatten().all(|x| x.is_finite()), "{heap:?}");
    }
}
