//! t-SNE: a map on which neighbours stay neighbours.

use nalgebra::DMatrix;
use rayon::prelude::*;

/// Neighbours that a point's surroundings are as large as, for sets that have them (scikit-learn's default).
const PERPLEXITY: f64 = 30.0;
/// Steps, and those at first in which attraction is [exaggerated](EXAGGERATION), so that points can pass
/// each other on their way (van der Maaten and Hinton 2008, section 3.4; scikit-learn's values).
const STEPS: usize = 1000;
const EARLY_STEPS: usize = 250;
const EXAGGERATION: f64 = 12.0;
/// Momentum in the early steps, and after them.
const MOMENTUM: [f64; 2] = [0.5, 0.8];
/// Standard deviation of the start.
const START: f64 = 1e-4;
/// Halvings that find the width of a point's surroundings.
const WIDTH_STEPS: usize = 64;

/// Points that are fewer have no neighbourhoods to keep.
pub(crate) const FEWEST_POINTS: usize = 4;

/// t-SNE of some vectors (van der Maaten and Hinton 2008): places in the plane such that the chance of two
/// points to be neighbours there, a heavy-tailed function of their distance, is as in the space of the
/// vectors.
///
/// ```text
/// p(j | i) ~ exp(-d_ij² b_i),  p_ij = (p(j | i) + p(i | j)) / 2n
/// w_ij = 1 / (1 + |y_i - y_j|²),  q_ij = w_ij / sum of all w
/// cost = sum of p_ij ln(p_ij / q_ij)
/// ```
///
/// All pairs are compared in each step, in an order that does not depend on the number of threads. A map
/// needs that: steps enlarge the last digit of a sum until points end up elsewhere.
#[derive(Debug)]
pub(crate) struct Tsne {
    /// p, `[n, n]`, row by row; sums to 1.
    affinities: Vec<f64>,
    points: usize,
}

/// Where the points are: x and y apart, for the compiler's vectors.
#[derive(Debug, Clone, PartialEq)]
struct Places {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Tsne {
    /// For the rows of `vectors`, `[n, d]`, at least [`FEWEST_POINTS`].
    pub(crate) fn new(vectors: &DMatrix<f64>) -> Self {
        let points = vectors.nrows();
        debug_assert!(points >= FEWEST_POINTS, "expected {FEWEST_POINTS} points, found {points}");
        let perplexity = PERPLEXITY.min((points - 1) as f64 / 3.0);
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
        let affinities =
            (0..points).flat_map(|i| (0..points).map(move |j| (i, j))).map(|(i, j)| joint(i, j));
        Self { affinities: affinities.collect(), points }
    }

    /// The map, from `start`, of which the shape counts and not the size.
    pub(crate) fn places(&self, start: &[[f64; 2]]) -> Vec<[f64; 2]> {
        let mut places = Places::start(start);
        let rate = (self.points as f64 / EXAGGERATION / 4.0).max(50.0);
        let [mut along_x, mut along_y] = [Motion::new(self.points), Motion::new(self.points)];
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
        let forces: Vec<Forces> = (0..self.points)
            .into_par_iter()
            .map(|i| Forces::on(i, places, &self.affinities[i * self.points..][..self.points]))
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

/// How the points move along one axis.
struct Motion {
    velocity: Vec<f64>,
    gains: Vec<f64>,
}

impl Motion {
    fn new(points: usize) -> Self {
        Self { velocity: vec![0.0; points], gains: vec![1.0; points] }
    }

    /// A step with momentum, and with gains that grow where the direction stays (Jacobs 1988, as in van
    /// der Maaten's code).
    fn step(&mut self, places: &mut [f64], gradient: &[f64], momentum: f64, rate: f64) {
        let state = self.velocity.iter_mut().zip(&mut self.gains);
        for ((place, gradient), (velocity, gain)) in places.iter_mut().zip(gradient).zip(state) {
            let goes_on = (*velocity > 0.0) != (*gradient > 0.0);
            *gain = if goes_on { *gain + 0.2 } else { (*gain * 0.8).max(0.01) };
            *velocity = momentum * *velocity - rate * *gain * gradient;
            *place += *velocity;
        }
    }
}

impl Places {
    /// `start`, shrunk such that the x have a standard deviation of [`START`].
    fn start(start: &[[f64; 2]]) -> Self {
        let squares: f64 = start.iter().map(|place| place[0] * place[0]).sum();
        let deviation = (squares / start.len() as f64).sqrt();
        let scale = if deviation > 0.0 { START / deviation } else { 0.0 };
        Self {
            x: start.iter().map(|place| place[0] * scale).collect(),
            y: start.iter().map(|place| place[1] * scale).collect(),
        }
    }

    fn centre(&mut self) {
        for axis in [&mut self.x, &mut self.y] {
            let mean = axis.iter().sum::<f64>() / axis.len() as f64;
            for place in axis {
                *place -= mean;
            }
        }
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
        let n = tsne.points;
        let w = |i: usize, j: usize| {
            let (dx, dy) = (places.x[i] - places.x[j], places.y[i] - places.y[j]);
            1.0 / (1.0 + dx * dx + dy * dy)
        };
        let pairs = || (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).filter(|(i, j)| i != j);
        let total: f64 = pairs().map(|(i, j)| w(i, j)).sum();
        pairs()
            .map(|(i, j)| {
                let (p, q) = (tsne.affinities[i * n + j], w(i, j) / total);
                p * (p / q).ln()
            })
            .sum()
    }

    #[test]
    fn affinities_are_a_symmetric_distribution_of_the_asked_perplexity() {
        let vectors = clusters(3, 12);
        let tsne = Tsne::new(&vectors);
        let n = tsne.points;
        assert!((tsne.affinities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for i in 0..n {
            assert_eq!(tsne.affinities[i * n + i].to_bits(), 0);
            for j in 0..n {
                let difference = tsne.affinities[i * n + j] - tsne.affinities[j * n + i];
                assert!(difference.abs() < 1e-15);
            }
        }
        let squared: Vec<f64> =
            (0..n).map(|j| (vectors.row(4) - vectors.row(j)).norm_squared()).collect();
        let p = conditional(4, &squared, 11.0);
        let entropy: f64 = p.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum();
        assert!((entropy.exp() - 11.0).abs() < 1e-6, "{}", entropy.exp());
    }

    #[test]
    fn the_gradient_is_that_of_the_cost_by_finite_differences() {
        let tsne = Tsne::new(&clusters(2, 6));
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
        let places = Tsne::new(&clusters(3, 20)).places(&start(60));
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
        let places = || Tsne::new(&vectors).places(&start(45));
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(alone.install(places), places());
    }

    #[test]
    fn vectors_that_are_all_the_same_still_have_finite_places() {
        let places = Tsne::new(&DMatrix::from_element(9, 3, 0.5)).places(&start(9));
        assert!(places.iter().flatten().all(|x| x.is_finite()), "{places:?}");
        let heap = Tsne::new(&DMatrix::zeros(4, 3)).places(&[[0.0; 2]; 4]);
        assert!(heap.iter().flatten().all(|x| x.is_finite()), "{heap:?}");
    }
}
