//! Which images' labels would teach a linear classifier most.

use nalgebra::{DMatrix, DVector};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::error::EmbedError;
use crate::search::NeighbourGraph;
use crate::vectors::{Features, LeadingDirections, dot, unit};

/// Directions that are kept, the iterations that find them, and the vectors that they are found from.
const DIRECTIONS: usize = 64;
const ITERATIONS: usize = 10;
const MOST_DRAWN: usize = 5_000;
/// The share of its neighbours' mean in a point.
const OF_NEIGHBOURS: f64 = 0.5;
/// A direction of variance v is divided by v to this power: half of the way to directions of equal variance, so that the few strongest don't decide all.
const WHITENING: f64 = 0.25;
/// What is added to each variance, as a share of their mean: directions in which nothing varies stay small.
const FLOOR: f64 = 0.01;
/// The strength of the penalty of the linear model, beside one label of a point of length 1.
const PENALTY: f64 = 2.0;

/// Which images to label, such that a linear model of these labels is as certain as possible about **all** images: transductive experimental design (Yu, Bi and Tresp 2006), one
/// image after the other.
///
/// The variance of what a ridge regression predicts for x is x . S x, with the inverse S of the labelled points' second moments and the penalty. Labels themselves play no part: it is known
/// before they are given. An image is worth asking for by how much its label lessens the sum of these variances over all images,
///
/// ```text
/// sum_x (x . S z)² / (1 + z . S z)
/// ```
///
/// so that images come first that have many like them, far from the mean, and few like them that are labelled.
///
/// A point is a unit vector without the mean of all, half of it and half of the mean of its ten nearest: what chance did to one image weighs less. The 64 directions of the largest variance are kept, and scaled half of the
/// way to equal variances.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_embed::{ExperimentalDesign, Features, NeighbourGraph};
///
/// // Three kinds of images, the first the most frequent, and one that is odd.
/// let angles: [f32; 10] = [0.0, 0.1, 0.2, 0.1, 0.1, 1.5, 1.6, 1.5, 3.0, 3.1];
/// let features = Features::new(angles.iter().flat_map(|a| [a.cos(), a.sin()]).collect(), 2);
/// let graph = NeighbourGraph::new(&features, 1, 0, &Device::flex())?;
/// let design = ExperimentalDesign::new(&features, &graph, 0)?;
/// let chosen = design.choose(&[2], 2, &|row| if row == 2 { 0.0 } else { 1.0 });
/// assert!(chosen.iter().all(|row| *row >= 5)); // one of the first kind has a label
/// # Ok::<(), simclr_embed::EmbedError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentalDesign {
    /// `[len, directions]`, of mean square length 1.
    points: Features,
    /// The mean square along each direction.
    spread: Vec<f32>,
}

/// An image that may be asked for.
struct Candidate {
    row: usize,
    weight: f64,
    /// The sum over all images, divided by their number, of (x . S z)².
    gain: f32,
    /// z . S z.
    variance: f32,
}

impl ExperimentalDesign {
    /// Nearest images that a graph should know.
    pub const NEIGHBOURS: usize = 10;

    /// A design on the vectors of some images and their neighbours, of which it takes [`NEIGHBOURS`](Self::NEIGHBOURS). The seed is for the search of the directions. The same on any number of
    /// threads.
    ///
    /// # Errors
    ///
    /// [`EmbedError::NoImages`] and [`EmbedError::NotFinite`]; [`EmbedError::Count`] for a graph of another number of vectors.
    pub fn new(features: &Features, graph: &NeighbourGraph, seed: u64) -> Result<Self, EmbedError> {
        features.check("set")?;
        EmbedError::check_count("neighbours", "vectors", features.len(), graph.len())?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn: Vec<usize> = (0..features.len()).collect();
        drawn.shuffle(&mut random);
        drawn.truncate(MOST_DRAWN);
        let smoothed = |row: usize| smoothed(features, graph, row);
        let values: Vec<f64> = drawn.par_iter().flat_map_iter(|&row| smoothed(row)).collect();
        let vectors = DMatrix::from_row_slice(drawn.len(), features.size(), &values);
        let found = LeadingDirections::new(vectors, DIRECTIONS, ITERATIONS, &mut random);
        let size = found.explained.len().max(1);
        let floor = FLOOR / features.size() as f64;
        let scales: Vec<f64> =
            found.explained.iter().map(|share| (share + floor).powf(-WHITENING)).collect();
        let rows: Vec<Vec<f64>> = (0..features.len())
            .into_par_iter()
            .map(|row| {
                let mut point = found.place(smoothed(row).into_iter());
                point.iter_mut().zip(&scales).for_each(|(x, scale)| *x *= scale);
                point.resize(size, 0.0);
                point
            })
            .collect();
        let squares: f64 = rows.iter().flatten().map(|x| x * x).sum();
        // Vectors that are all the same have points of length 0.
        let scale = if squares > 0.0 { (rows.len() as f64 / squares).sqrt() } else { 0.0 };
        let values = rows.iter().flatten().map(|x| (x * scale) as f32).collect();
        Ok(Self::of_points(Features::new(values, size)))
    }

    /// The design of points that another one had: [`points`](Self::points).
    #[must_use]
    pub fn of_points(points: Features) -> Self {
        let mut squares = vec![0.0_f64; points.size()];
        for row in points.rows() {
            squares.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x).powi(2));
        }
        let count = points.len().max(1) as f64;
        let spread = squares.into_iter().map(|sum| (sum / count) as f32).collect();
        Self { points, spread }
    }

    /// A point for each image, `[len, directions]`.
    #[must_use]
    pub fn points(&self) -> &Features {
        &self.points
    }

    /// `count` images to label, beside those of the rows `labelled`, the most useful first. The worth of each is multiplied by its `weight`; those of weight 0 are never
    /// chosen, so that there may be fewer.
    ///
    /// # Panics
    ///
    /// For a labelled row that does not exist.
    #[must_use]
    pub fn choose(
        &self,
        labelled: &[usize],
        count: usize,
        weight: &(dyn Fn(usize) -> f64 + Sync),
    ) -> Vec<usize> {
        let mut certainty = self.certainty(labelled);
        let mut candidates = self.candidates(&certainty, weight);
        let mut chosen = Vec::new();
        while chosen.len() < count {
            let worth = |it: &Candidate| it.weight * f64::from(it.gain / (1.0 + it.variance));
            // Of equals the first.
            let best = (0..candidates.len()).reduce(|best, next| {
                if worth(&candidates[next]) > worth(&candidates[best]) { next } else { best }
            });
            let Some(best) = best else { break };
            let Candidate { row, variance, .. } = candidates.remove(best);
            chosen.push(row);
            let shift = &certainty * self.point(row) / f64::from(1.0 + variance).sqrt();
            self.lessen(&mut candidates, &certainty, &shift);
            certainty -= &shift * shift.transpose();
        }
        chosen
    }

    fn point(&self, row: usize) -> DVector<f64> {
        DVector::from_iterator(
            self.points.size(),
            self.points.row(row).iter().map(|&x| f64::from(x)),
        )
    }

    /// S, the covariance of the linear model's weights, after these labels.
    fn certainty(&self, labelled: &[usize]) -> DMatrix<f64> {
        let size = self.points.size();
        let mut moments = DMatrix::from_diagonal_element(size, size, PENALTY);
        for &row in labelled {
            let point = self.point(row);
            moments.syger(1.0, &point, &point, 1.0);
        }
        // `syger` fills the lower half, which is what this reads.
        moments.cholesky().expect("a penalty makes moments positive").inverse()
    }

    fn candidates(
        &self,
        certainty: &DMatrix<f64>,
        weight: &(dyn Fn(usize) -> f64 + Sync),
    ) -> Vec<Candidate> {
        // Symmetric: its columns are its rows.
        let rows: Vec<f32> = certainty.iter().map(|&x| x as f32).collect();
        let size = self.points.size();
        let candidate = |row: usize| {
            let weight = weight(row);
            (weight > 0.0).then(|| {
                let point = self.points.row(row);
                let (mut gain, mut variance) = (0.0, 0.0);
                for ((along, &x), spread) in rows.chunks_exact(size).zip(point).zip(&self.spread) {
                    let y = dot(along, point);
                    variance += x * y;
                    gain += spread * y * y;
                }
                Candidate { row, weight, gain, variance }
            })
        };
        (0..self.points.len()).into_par_iter().filter_map(candidate).collect()
    }

    /// Brings the candidates from S to S - shift shift^T.
    fn lessen(&self, candidates: &mut [Candidate], certainty: &DMatrix<f64>, shift: &DVector<f64>) {
        let spread = shift.zip_map(
            &DVector::from_iterator(shift.len(), self.spread.iter().map(|&x| f64::from(x))),
            |shift, spread| shift * spread,
        );
        let square = shift.dot(&spread) as f32;
        let [shift, across] = [shift.clone(), certainty * spread]
            .map(|vector| vector.iter().map(|&x| x as f32).collect::<Vec<f32>>());
        candidates.par_iter_mut().for_each(|it| {
            let point = self.points.row(it.row);
            let along = dot(&shift, point);
            it.gain += along * (along * square - 2.0 * dot(&across, point));
            it.variance -= along * along;
        });
    }
}

/// A unit vector, and the mean of its nearest.
fn smoothed(features: &Features, graph: &NeighbourGraph, row: usize) -> Vec<f64> {
    let near = &graph.of(row)[..graph.k().min(ExperimentalDesign::NEIGHBOURS)];
    let mut values: Vec<f64> = unit(features.row(row)).collect();
    if near.is_empty() {
        return values;
    }
    let share = OF_NEIGHBOURS / near.len() as f64;
    for x in &mut values {
        *x *= 1.0 - OF_NEIGHBOURS;
    }
    for near in near {
        let other = unit(features.row(near.row as usize));
        values.iter_mut().zip(other).for_each(|(sum, x)| *sum += share * x);
    }
    values
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use rand::RngExt;

    use super::*;

    /// 200, 40 and 20 vectors around three directions, in this order, and one that is like none.
    fn design() -> ExperimentalDesign {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let mut values = Vec::new();
        for (kind, count) in [200, 40, 20, 1].into_iter().enumerate() {
            for _ in 0..count {
                let mut vector = [0.0_f32; 6];
                vector[kind] = 4.0;
                values.extend(vector.map(|x| x + random.random::<f32>() - 0.5));
            }
        }
        let features = Features::new(values, 6);
        let graph = NeighbourGraph::new(&features, 10, 0, &Device::flex()).unwrap();
        ExperimentalDesign::new(&features, &graph, 0).unwrap()
    }

    fn kind(row: usize) -> usize {
        [200, 240, 260].iter().filter(|&&end| row >= end).count()
    }

    /// The sum of the variances of all images after these labels, by the inverse of all moments.
    fn variances(design: &ExperimentalDesign, labelled: &[usize]) -> f64 {
        let certainty = design.certainty(labelled);
        (0..design.points.len())
            .map(|row| design.point(row).dot(&(&certainty * design.point(row))))
            .sum()
    }

    #[test]
    fn each_image_is_the_one_that_leaves_the_smallest_variances() {
        let design = design();
        let chosen =
            design.choose(&[7, 210], 4, &|row| f64::from(u8::from(row != 7 && row != 210)));
        let mut labelled = vec![7, 210];
        for row in chosen {
            let with = |row: usize| variances(&design, &[&labelled[..], &[row]].concat());
            let rest = (0..design.points.len()).filter(|row| !labelled.contains(row));
            let least = rest.map(with).fold(f64::INFINITY, f64::min);
            // The mean squares stand for all second moments of the points, whose directions are nearly without correlation.
            assert!(with(row) < 1.01 * least, "{} and not {least}", with(row));
            labelled.push(row);
        }
    }

    #[test]
    fn kinds_away_from_the_mean_are_asked_for_in_turns() {
        let design = design();
        let kinds: Vec<usize> = design.choose(&[], 2, &|_| 1.0).into_iter().map(kind).collect();
        assert!(kinds == [1, 2] || kinds == [2, 1], "{kinds:?}");
        let other = design.choose(&[3], 1, &|row| f64::from(u8::from(row != 3)));
        assert_ne!(kind(other[0]), 0);
    }

    #[test]
    fn a_weight_of_nothing_is_never_chosen_and_every_other_one_is() {
        let design = design();
        let mut chosen = design.choose(&[], 1000, &|row| if row < 10 { 0.0 } else { 0.5 });
        chosen.sort_unstable();
        assert_eq!(chosen, (10..261).collect::<Vec<_>>());
        let heavy = design.choose(&[], 1, &|row| if row == 260 { 1e9 } else { 1.0 });
        assert_eq!(heavy, [260]);
        assert_eq!(ExperimentalDesign::of_points(design.points().clone()), design);
    }

    #[test]
    fn equal_vectors_are_chosen_in_their_order() {
        let features = Features::new([[1.0, 2.0]; 5].concat(), 2);
        let graph = NeighbourGraph::new(&features, 10, 0, &Device::flex()).unwrap();
        let design = ExperimentalDesign::new(&features, &graph, 0).unwrap();
        assert_eq!(design.choose(&[], 3, &|_| 1.0), [0, 1, 2]);
        let one = features.select(&[0]);
        let graph = NeighbourGraph::new(&one, 10, 0, &Device::flex()).unwrap();
        let design = ExperimentalDesign::new(&one, &graph, 0).unwrap();
        assert_eq!(design.choose(&[], 3, &|_| 1.0), [0]);
        let message = ExperimentalDesign::new(&features, &graph, 0).unwrap_err().to_string();
        assert!(message.contains('5') && message.contains('1'), "{message}");
    }
}
