//! Groups of vectors of alike directions.

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use simclr_range::OutOfRange;

use super::groups::{Groups, Settled};
use crate::error::EmbedError;
use crate::search::CosineIndex;
use crate::vectors::{Features, dot, unit};

/// Beginnings, of which the best end counts, and the most rounds of each.
const STARTS: u64 = 3;
const ROUNDS: usize = 100;
/// A round that improves the mean cosine by less is the last.
const SETTLED: f64 = 1e-6;
/// Vectors that are summed up at a time, on any number of threads: sums of f64 depend on their order.
const AT_A_TIME: usize = 1024;

/// Spherical k-means: groups of vectors whose directions are alike, such that the sum of the cosines to the groups' centres is large (Dhillon and
/// Modha 2001).
///
/// The first centres are drawn as by k-means++ (Arthur and Vassilvitskii 2007): each with a probability that grows with the distance, 1 - cosine, to the
/// centres before it, which is half of the square distance of vectors of length 1; of a few that are drawn, the one that leaves the smallest sum of distances (as
/// scikit-learn has it). Vectors and centres then settle in turns; a group that becomes
/// empty begins anew at the vector that is farthest from its centre. The best of three beginnings is kept. The result is the same for a seed, on any
/// number of threads.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_embed::{Features, SphericalKMeans};
///
/// let features = [[1.0, 0.0], [0.0, 1.0], [2.0, 0.2], [0.1, 3.0], [0.3, 3.0]];
/// let features = Features::new(features.concat(), 2);
/// let groups = SphericalKMeans::new(2, 7)?.fit(&features, &Device::flex())?;
/// assert_eq!(groups.members(groups.of()[1]), [1, 3, 4]);
/// assert_eq!(groups.medoids()[groups.of()[1]], 3); // the most typical one
/// # Ok::<(), simclr_embed::EmbedError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SphericalKMeans {
    count: usize,
    seed: u64,
}

impl SphericalKMeans {
    /// So many groups, at least 1, by a seed.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for 0.
    pub fn new(count: usize, seed: u64) -> Result<Self, OutOfRange> {
        OutOfRange::unless(count > 0, "count", "at least 1", count)?;
        Ok(Self { count, seed })
    }

    /// Groups the vectors. There are fewer groups than asked for only if there are fewer different vectors.
    ///
    /// # Errors
    ///
    /// [`EmbedError::NoImages`] and [`EmbedError::NotFinite`] for features that cannot be compared, [`EmbedError::Device`].
    pub fn fit(&self, features: &Features, device: &Device) -> Result<Groups, EmbedError> {
        features.check("set")?;
        let values: Vec<f32> =
            features.rows().flat_map(|row| unit(row).map(|x| x as f32)).collect();
        let vectors = Features::new(values, features.size());
        let mut best = self.settled(&vectors, 0, device)?;
        for start in 1..STARTS {
            if self.count == 1 {
                break;
            }
            let settled = self.settled(&vectors, start, device)?;
            if settled.mean > best.mean {
                best = settled;
            }
        }
        Ok(Groups::new(best))
    }

    fn settled(
        &self,
        vectors: &Features,
        start: u64,
        device: &Device,
    ) -> Result<Settled, EmbedError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(start);
        settle(vectors, first_centres(vectors, self.count, &mut random), device)
    }
}

/// Centres among the vectors, as k-means++ draws them: fewer than `count` if there are fewer different vectors.
fn first_centres(vectors: &Features, count: usize, random: &mut ChaCha8Rng) -> Features {
    let trials = 2 + (count as f64).ln() as usize;
    let mut chosen = vec![random.random_range(0..vectors.len())];
    let mut distances = with_centre(vectors, chosen[0], &vec![f64::INFINITY; vectors.len()]);
    while chosen.len() < count {
        let total: f64 = distances.iter().sum();
        if total <= 0.0 {
            break;
        }
        let mut best = (f64::INFINITY, 0, Vec::new());
        for _ in 0..trials {
            let row = draw(&distances, random.random::<f64>() * total);
            let with = with_centre(vectors, row, &distances);
            let left: f64 = with.iter().sum();
            if left < best.0 {
                best = (left, row, with);
            }
        }
        chosen.push(best.1);
        distances = best.2;
    }
    vectors.select(&chosen)
}

/// The distance of each vector to the nearest centre, if vector `centre` becomes one.
fn with_centre(vectors: &Features, centre: usize, distances: &[f64]) -> Vec<f64> {
    let centre = vectors.row(centre);
    let nearer = |(row, distance): (usize, &f64)| {
        let far = f64::from(1.0 - dot(vectors.row(row), centre));
        // Equal vectors differ by rounding.
        distance.min(if far > 1e-6 { far } else { 0.0 })
    };
    distances.par_iter().enumerate().map(nearer).collect()
}

/// The row that `at`, below the sum of all distances, falls on.
fn draw(distances: &[f64], mut at: f64) -> usize {
    let hit = distances.iter().position(|&distance| {
        at -= distance;
        distance > 0.0 && at <= 0.0
    });
    // Rounding may leave a rest: then it is the last that can be drawn.
    let last = || distances.iter().rposition(|&distance| distance > 0.0);
    hit.or_else(last).expect("a distance is above 0")
}

/// Takes turns: each vector joins its nearest centre, each centre takes the direction of its vectors' sum.
fn settle(
    vectors: &Features,
    mut centres: Features,
    device: &Device,
) -> Result<Settled, EmbedError> {
    let mut before = f64::NEG_INFINITY;
    for round in 0.. {
        let index = CosineIndex::new(&centres, device)?;
        let nearest = index.nearest_with(vectors, 1, |nearest| nearest[0])?;
        let of: Vec<usize> = nearest.iter().map(|nearest| nearest.row as usize).collect();
        let cosines: Vec<f32> = nearest.iter().map(|nearest| nearest.cosine).collect();
        let mean = cosines.iter().map(|&cosine| f64::from(cosine)).sum::<f64>() / of.len() as f64;
        if round == ROUNDS || mean - before < SETTLED {
            return Ok(Settled { centres, of, cosines, mean });
        }
        before = mean;
        centres = new_centres(vectors, &of, &cosines, &centres);
    }
    unreachable!("the last round returns")
}

/// The directions of the groups' sums. An empty group gets the vector that is farthest from its centre, another for each.
fn new_centres(vectors: &Features, of: &[usize], cosines: &[f32], centres: &Features) -> Features {
    let (count, size) = (centres.len(), centres.size());
    let parts: Vec<(Vec<f64>, Vec<usize>)> = of
        .par_chunks(AT_A_TIME)
        .enumerate()
        .map(|(part, of)| {
            let (mut sums, mut sizes) = (vec![0.0; count * size], vec![0; count]);
            for (row, &group) in (part * AT_A_TIME..).zip(of) {
                sizes[group] += 1;
                let sum = sums[group * size..][..size].iter_mut();
                sum.zip(vectors.row(row)).for_each(|(sum, &x)| *sum += f64::from(x));
            }
            (sums, sizes)
        })
        .collect();
    let (mut sums, mut sizes) = (vec![0.0; count * size], vec![0; count]);
    for (part, members) in parts {
        sums.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
        sizes.iter_mut().zip(members).for_each(|(size, n)| *size += n);
    }
    let mut farthest: Vec<usize> = Vec::new();
    if sizes.contains(&0) {
        farthest = (0..of.len()).collect();
        farthest.sort_by(|&a, &b| cosines[b].total_cmp(&cosines[a]).then(b.cmp(&a)));
    }
    let mut values = Vec::with_capacity(count * size);
    for (sum, &members) in sums.chunks_exact(size).zip(&sizes) {
        if members == 0 {
            let row = farthest.pop().expect("there are no more groups than vectors");
            values.extend_from_slice(vectors.row(row));
            continue;
        }
        let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
        let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
        values.extend(sum.iter().map(|x| (x * scale) as f32));
    }
    Features::new(values, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors around `groups` directions, group by group, of different sizes.
    pub(super) fn around(groups: usize, spread: f32) -> (Features, Vec<usize>) {
        let size = 16;
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let mut normal = move || (0..12).map(|_| random.random::<f32>()).sum::<f32>() - 6.0;
        let centres: Vec<f32> = (0..groups * size).map(|_| normal()).collect();
        let (mut values, mut of) = (Vec::new(), Vec::new());
        for group in 0..groups {
            for _ in 0..30 + 7 * group {
                values
                    .extend(centres[group * size..][..size].iter().map(|x| x + spread * normal()));
                of.push(group);
            }
        }
        (Features::new(values, size), of)
    }

    #[test]
    fn well_separated_groups_are_found_whole_and_the_largest_is_first() {
        let (features, truth) = around(6, 0.15);
        let groups = SphericalKMeans::new(6, 1).unwrap().fit(&features, &Device::flex()).unwrap();
        let expected: Vec<usize> = truth.iter().map(|group| 5 - group).collect();
        assert_eq!(groups.of(), expected);
    }

    fn cosine(a: &[f32], b: &[f32]) -> f64 {
        unit(a).zip(unit(b)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn no_member_is_nearer_to_the_others_than_the_medoid() {
        let (features, _) = around(4, 0.5);
        let groups = SphericalKMeans::new(3, 2).unwrap().fit(&features, &Device::flex()).unwrap();
        for group in 0..groups.len() {
            let members = groups.members(group);
            let cosine = |a: usize, b: usize| cosine(features.row(a), features.row(b));
            let sum = |row: usize| members.iter().map(|&to| cosine(row, to)).sum::<f64>();
            let most = members.iter().map(|&row| sum(row)).fold(f64::NEG_INFINITY, f64::max);
            assert!(sum(groups.medoids()[group]) > most - 1e-3);
        }
    }

    #[test]
    fn a_round_of_lloyds_changes_nothing_any_more() {
        let (features, _) = around(5, 0.6);
        let groups = SphericalKMeans::new(4, 3).unwrap().fit(&features, &Device::flex()).unwrap();
        for (row, &of) in groups.of().iter().enumerate() {
            let cosine = |group: usize| cosine(features.row(row), groups.centres().row(group));
            assert!((0..4).all(|group| cosine(group) <= cosine(of) + 1e-5));
        }
    }

    #[test]
    fn a_seed_gives_the_same_groups_on_any_number_of_threads_and_another_may_not() {
        let (features, _) = around(5, 1.5);
        let on = |threads, seed| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let kmeans = SphericalKMeans::new(7, seed).unwrap();
            pool.install(|| kmeans.fit(&features, &Device::flex()).unwrap())
        };
        assert!(on(1, 1) == on(3, 1));
        assert!(on(1, 1) != on(1, 2));
    }

    #[test]
    fn fewer_different_vectors_are_fewer_groups() {
        let features = Features::new([[1.0, 0.0], [0.0, 1.0]].repeat(5).concat(), 2);
        let groups = SphericalKMeans::new(4, 0).unwrap().fit(&features, &Device::flex()).unwrap();
        assert_eq!((groups.len(), groups.members(0).len()), (2, 5));
        assert!(SphericalKMeans::new(0, 0).is_err());
    }
}
