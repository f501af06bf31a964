//! t-SNE: a map on which neighbours stay neighbours.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use simclr_range::OutOfRange;

use super::affinities::Affinities;
use super::motion::Motion;
use super::repulsion::Repulsion;
use crate::error::EmbedError;
use crate::search::NeighbourGraph;

/// Steps, and those at first in which attraction is [exaggerated](EXAGGERATION), so that points can pass each other on
/// their way (van der Maaten and Hinton 2008, section 3.4; openTSNE's numbers).
const STEPS: usize = 750;
const EARLY_STEPS: usize = 250;
const EXAGGERATION: f64 = 12.0;
/// Momentum (openTSNE's, in all steps).
const MOMENTUM: f64 = 0.8;
/// The lowest learning rate (Belkina et al. 2019).
const LEAST_RATE: f64 = 200.0;
/// Standard deviation of the start along x (Kobak and Berens 2019), and the most that chance moves a point, as a share
/// of it: vectors that are the same would never part.
const START: f64 = 1e-4;
const NOISE: f64 = 1e-2;

/// t-SNE (van der Maaten and Hinton 2008): places in the plane such that the probability that two points are neighbours
/// there, a heavy-tailed function of their distance, is as in the space of the vectors.
///
/// ```text
/// p_ij: 1/nk if i and j are among each other's k nearest neighbours, half of it if one is so, else 0
/// w_ij = 1 / (1 + |y_i - y_j|²),  q_ij = w_ij / sum of all w
/// cost = sum of p_ij ln(p_ij / q_ij)
/// ```
///
/// - **Affinities** are the same for all k nearest neighbours, without a perplexity. That takes the 15 nearest instead of the 90 of a perplexity of 30, and keeps as many (Böhm,
///   Berens and Kobak 2022, section 4.4).
/// - **Repulsion** is interpolated on a grid (Linderman et al. 2019), so that a step costs time in proportion to the points, and to the area of the map; up to 512 points are compared pair by pair.
/// - **Start, rate and steps** are those by which large maps keep their large structure (Kobak and Berens 2019; Belkina et al. 2019): two principal components, attraction times
///   12 in 250 of 750 steps, and a learning rate of the number of points over the exaggeration.
///
/// A map is the same, to the bit, for one graph, start and seed on any number of threads. What lies together is alike. How large a group is, and how far from the next, means little.
///
/// ```
/// use burn::tensor::Device;
/// use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
/// use simclr_embed::{Features, NeighbourGraph, PrincipalComponents, Tsne};
///
/// // Two directions, three vectors each.
/// let vectors = [[1.0, 0.0], [1.0, 0.1], [1.0, 0.2], [0.0, 1.0], [0.1, 1.0], [0.2, 1.0]];
/// let features = Features::new(vectors.concat(), 2);
///
/// let tsne = Tsne { neighbours: 2, ..Tsne::default() };
/// let graph = NeighbourGraph::new(&features, tsne.neighbours, 0, &Device::flex())?;
/// let start = PrincipalComponents::new(&features, &mut ChaCha8Rng::seed_from_u64(0))?.places;
/// let places = tsne.places(&graph, &start)?;
/// let distance = |a: usize, b: usize| {
///     (places[a][0] - places[b][0]).hypot(places[a][1] - places[b][1])
/// };
/// assert!(distance(0, 1) < distance(0, 4));
/// # Ok::<(), simclr_embed::EmbedError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tsne {
    /// The number k of nearest neighbours that attract a point, at least 1: of the graph's, as many as it has. More of
    /// them make groups rounder and keep fewer of the nearest.
    pub neighbours: usize,
    /// Draws how points with the same vector part.
    pub seed: u64,
}

impl Default for Tsne {
    /// 15 neighbours (Böhm, Berens and Kobak 2022).
    fn default() -> Self {
        Self { neighbours: 15, seed: 0 }
    }
}

impl Tsne {
    /// The fewest points that are laid out. Fewer have no neighbourhoods to keep, and stay where they start.
    pub const FEWEST_POINTS: usize = 4;

    /// A place for each vector of `graph`, around (0, 0), from `start`, of which the shape counts and not the size:
    /// [principal components](crate::PrincipalComponents), say. Groups are some units wide, maps some tens to
    /// hundreds.
    ///
    /// # Errors
    ///
    /// [`EmbedError::OutOfRange`] for no neighbours, or a start that is NaN or infinite; [`EmbedError::Count`] unless there is one start for each vector.
    pub fn places(
        &self,
        graph: &NeighbourGraph,
        start: &[[f64; 2]],
    ) -> Result<Vec<[f32; 2]>, EmbedError> {
        OutOfRange::unless(self.neighbours > 0, "neighbours", "at least 1", self.neighbours)?;
        EmbedError::check_count("a start", "vectors", graph.len(), start.len())?;
        if let Some(&found) = start.iter().flatten().find(|x| !x.is_finite()) {
            return Err(OutOfRange::new("start", "finite", found).into());
        }
        let mut places = self.start(start);
        if graph.len() >= Self::FEWEST_POINTS {
            lay_out(&Affinities::new(graph, self.neighbours.min(graph.k())), &mut places);
        }
        Ok(places.iter().map(|place| place.map(|x| x as f32)).collect())
    }

    /// `start`, shrunk such that the x have a standard deviation of [`START`], and moved a little by chance.
    fn start(&self, start: &[[f64; 2]]) -> Vec<[f64; 2]> {
        // Of the largest coordinate first: squares of large numbers are infinite.
        let largest = start.iter().flatten().fold(0.0, |most: f64, x| most.max(x.abs()));
        let share = |x: f64| if largest > 0.0 { x / largest } else { 0.0 };
        let squares: f64 = start.iter().map(|place| share(place[0]).powi(2)).sum();
        let deviation = (squares / start.len() as f64).sqrt();
        let scale = if deviation > 0.0 { START / deviation } else { START };
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut moved = |x: f64| scale * share(x) + NOISE * START * random.random_range(-1.0..1.0);
        start.iter().map(|place| place.map(&mut moved)).collect()
    }
}

/// Moves the points down the gradient of the cost.
fn lay_out(affinities: &Affinities, places: &mut [[f64; 2]]) {
    let points = affinities.points();
    let (mut motion, mut repulsion) = (Motion::new(points), Repulsion::new());
    for step in 0..STEPS {
        let exaggeration = if step < EARLY_STEPS { EXAGGERATION } else { 1.0 };
        let rate = (points as f64 / exaggeration).max(LEAST_RATE);
        let gradient = gradient(affinities, &mut repulsion, places, exaggeration);
        motion.step(places, &gradient, MOMENTUM, rate);
    }
}

/// A quarter of the gradient of the cost by each place, with the affinities multiplied:
/// `sum_j (exaggeration p_ij - q_ij) w_ij (y_i - y_j)`.
fn gradient(
    affinities: &Affinities,
    repulsion: &mut Repulsion,
    places: &[[f64; 2]],
    exaggeration: f64,
) -> Vec<[f64; 2]> {
    let pushes = repulsion.forces(places);
    let along = |pull: f64, push: f64| exaggeration * pull - push / pushes.total;
    let points = pushes.on.par_iter().enumerate();
    points
        .map(|(i, push)| {
            let pull = affinities.pull(i, places);
            [along(pull[0], push[0]), along(pull[1], push[1])]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::Features;
    use burn::tensor::Device;

    /// `groups` of `size` vectors each, far from one another.
    fn clusters(groups: usize, size: usize) -> Features {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let value = |at: usize| {
            let centre = if at / 6 / size == at % 6 { 4.0 } else { 0.0 };
            centre + 0.5 * random.random_range(-1.0..1.0)
        };
        Features::new((0..groups * size * 6).map(value).collect(), 6)
    }

    fn graph(features: &Features, k: usize) -> NeighbourGraph {
        NeighbourGraph::new(features, k, 0, &Device::flex()).unwrap()
    }

    fn start(points: usize) -> Vec<[f64; 2]> {
        let mut random = ChaCha8Rng::seed_from_u64(6);
        (0..points)
            .map(|_| [random.random_range(-1.0..1.0), random.random_range(-1.0..1.0)])
            .collect()
    }

    fn squared(a: [f64; 2], b: [f64; 2]) -> f64 {
        (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
    }

    /// The cost by its definition, but for what does not change with the places.
    fn cost(affinities: &Affinities, places: &[[f64; 2]]) -> f64 {
        let n = affinities.points();
        let w = |i: usize, j: usize| 1.0 / (1.0 + squared(places[i], places[j]));
        let pairs = || (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).filter(|(i, j)| i != j);
        let total: f64 = pairs().map(|(i, j)| w(i, j)).sum();
        pairs().map(|(i, j)| -affinities.dense(i)[j] * (w(i, j) / total).ln()).sum()
    }

    #[test]
    fn the_gradient_is_that_of_the_cost_by_finite_differences() {
        let affinities = Affinities::new(&graph(&clusters(2, 6), 3), 3);
        let places: Vec<[f64; 2]> =
            start(12).into_iter().map(|place| place.map(|x| 2.0 * x)).collect();
        let gradient = gradient(&affinities, &mut Repulsion::new(), &places, 1.0);
        let step = 1e-5;
        for i in 0..12 {
            for axis in 0..2 {
                let moved = |by: f64| {
                    let mut places = places.clone();
                    places[i][axis] += by;
                    cost(&affinities, &places)
                };
                let expected = (moved(step) - moved(-step)) / (2.0 * step) / 4.0;
                let found = gradient[i][axis];
                assert!((found - expected).abs() < 1e-5, "{found} and {expected}");
            }
        }
    }

    #[test]
    fn clusters_stay_together_and_apart_from_others() {
        let places = Tsne::default().places(&graph(&clusters(3, 20), 15), &start(60)).unwrap();
        let places: Vec<[f64; 2]> = places.iter().map(|place| place.map(f64::from)).collect();
        for (i, &place) in places.iter().enumerate() {
            let nearest = (0..60)
                .filter(|j| *j != i)
                .min_by(|&a, &b| squared(place, places[a]).total_cmp(&squared(place, places[b])));
            assert_eq!(nearest.unwrap() / 20, i / 20, "point {i}");
        }
    }

    #[test]
    fn a_map_is_the_same_for_any_number_of_threads() {
        let graph = graph(&clusters(3, 200), 15);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| Tsne::default().places(&graph, &start(600)).unwrap())
        };
        let one = on(1);
        assert!(one == on(3) && one == on(8));
        let other = Tsne { seed: 1, ..Tsne::default() }.places(&graph, &start(600)).unwrap();
        assert_ne!(one, other);
    }

    #[test]
    fn vectors_that_are_all_the_same_get_places_of_their_own() {
        for points in [4, 9, 100] {
            let features = Features::new(vec![0.5; 3 * points], 3);
            let graph = graph(&features, 15);
            let places = Tsne::default().places(&graph, &vec![[0.0; 2]; points]).unwrap();
            assert!(places.iter().flatten().all(|x| x.is_finite()), "{places:?}");
            let mut sorted: Vec<[u32; 2]> = places.iter().map(|p| p.map(f32::to_bits)).collect();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), points);
        }
    }

    #[test]
    fn fewer_than_four_points_stay_where_they_start() {
        for points in 1..4 {
            let features = Features::new((0..2 * points).map(|x| x as f32 + 1.0).collect(), 2);
            let start: Vec<[f64; 2]> = (0..points).map(|x| [x as f64 * 1e200, 0.0]).collect();
            let places = Tsne::default().places(&graph(&features, 15), &start).unwrap();
            assert_eq!(places.len(), points);
            assert!(places.iter().flatten().all(|x| x.is_finite()));
            assert!(places.is_sorted_by(|a, b| a[0] < b[0]));
        }
    }

    #[test]
    fn starts_that_cannot_be_are_refused() {
        let graph = graph(&clusters(1, 5), 4);
        let refusal =
            |tsne: Tsne, start: &[[f64; 2]]| tsne.places(&graph, start).unwrap_err().to_string();
        let none = Tsne { neighbours: 0, ..Tsne::default() };
        assert_eq!(refusal(none, &start(5)), "expected neighbours to be at least 1, found 0");
        let found = refusal(Tsne::default(), &start(4));
        assert_eq!(found, "expected a start for each of 5 vectors, found 4");
        let mut nan = start(5);
        nan[3][1] = f64::NAN;
        assert_eq!(refusal(Tsne::default(), &nan), "expected start to be finite, found NaN");
    }
}
