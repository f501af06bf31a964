//! Which images to label first.

use std::cmp::Reverse;

use burn::tensor::Device;
use simclr_range::OutOfRange;

use super::outliers::outlier_scores;
use super::spherical_k_means::SphericalKMeans;
use crate::error::EmbedError;
use crate::search::NeighbourGraph;
use crate::vectors::Features;

/// The most groups, and the neighbours by which images are typical (Hacohen, Dekel and Weinshall 2022, appendix F.1).
const MOST_GROUPS: usize = 500;
const NEIGHBOURS: usize = 20;

/// `count` images that stand for all, most useful to label first, in the order to label them: the typical images of many groups
/// (`TypiClust`: Hacohen, Dekel and Weinshall 2022). All of them if there are no more.
///
/// There are as many groups as images that are chosen or `labelled`, at most 500. Groups without a labelled image are served first, the largest first, then
/// those of the fewest chosen. A group gives its most typical image, the one with the smallest mean distance to its 20 nearest of the group. The choice is the same
/// for a seed, on any number of threads.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_embed::{Features, typical_images};
///
/// // Three kinds of images, the first the most frequent; 1 and 5 are the middle of theirs, and 6 is alone.
/// let angles: [f32; 7] = [0.0, 0.1, 0.2, 0.12, 1.5, 1.5, 3.0];
/// let features = Features::new(angles.iter().flat_map(|a| [a.cos(), a.sin()]).collect(), 2);
/// let chosen = typical_images(&features, 2, &[1], 0, &Device::flex())?;
/// assert!(!chosen.iter().any(|row| [0, 1, 2, 3].contains(row))); // one of that kind has a label
/// # Ok::<(), simclr_embed::EmbedError>(())
/// ```
///
/// # Errors
///
/// [`EmbedError::OutOfRange`] for a `count` of 0 or a labelled row that does not exist; [`EmbedError::NoImages`] and [`EmbedError::NotFinite`] for features that
/// cannot be compared; [`EmbedError::Device`].
pub fn typical_images(
    features: &Features,
    count: usize,
    labelled: &[usize],
    seed: u64,
    device: &Device,
) -> Result<Vec<usize>, EmbedError> {
    OutOfRange::unless(count > 0, "count", "at least 1", count)?;
    features.check("set")?;
    let mut taken = vec![false; features.len()];
    for &row in labelled {
        let rows = || format!("of rows below {}", features.len());
        OutOfRange::unless(row < features.len(), "labelled", rows(), row)?;
        taken[row] = true;
    }
    let groups = count.saturating_add(labelled.len()).min(MOST_GROUPS);
    let groups = SphericalKMeans::new(groups, seed)?.fit(features, device)?;
    let mut queues = Vec::new();
    for group in 0..groups.len() {
        queues.push(Queue::new(features, groups.members(group), &taken, seed, device)?);
    }
    let mut chosen = Vec::new();
    while chosen.len() < count {
        let waiting = queues.iter_mut().filter(|queue| !queue.waiting.is_empty());
        // The first of equals: groups are in the order of their sizes.
        let Some(queue) = waiting.min_by_key(|queue| queue.served) else { break };
        queue.served += 1;
        chosen.extend(queue.waiting.pop());
    }
    Ok(chosen)
}

/// The images of a group.
struct Queue {
    /// Images that are labelled or chosen.
    served: usize,
    /// The others, the most typical last.
    waiting: Vec<usize>,
}

impl Queue {
    fn new(
        features: &Features,
        members: Vec<usize>,
        taken: &[bool],
        seed: u64,
        device: &Device,
    ) -> Result<Self, EmbedError> {
        let graph = NeighbourGraph::new(&features.select(&members), NEIGHBOURS, seed, device)?;
        let mut ranked: Vec<(f32, usize)> =
            outlier_scores(&graph).into_iter().zip(members).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(Reverse(a.1).cmp(&Reverse(b.1))));
        let all = ranked.len();
        let waiting: Vec<usize> =
            ranked.into_iter().map(|(_, row)| row).filter(|&row| !taken[row]).collect();
        Ok(Self { served: all - waiting.len(), waiting })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// 200, 40 and 20 vectors around three directions, in this order.
    fn three_kinds() -> Features {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let mut values = Vec::new();
        for (kind, count) in [200, 40, 20].into_iter().enumerate() {
            for _ in 0..count {
                let mut vector = [0.0_f32; 6];
                vector[kind] = 4.0;
                values.extend(vector.map(|x| x + random.random::<f32>() - 0.5));
            }
        }
        Features::new(values, 6)
    }

    fn kind(row: usize) -> usize {
        [200, 240].iter().filter(|&&end| row >= end).count()
    }

    #[test]
    fn each_kind_is_chosen_once_the_most_frequent_first() {
        let chosen = typical_images(&three_kinds(), 3, &[], 1, &Device::flex()).unwrap();
        assert_eq!(chosen.iter().map(|&row| kind(row)).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn kinds_with_a_label_wait_and_nothing_is_chosen_twice() {
        let features = three_kinds();
        let device = Device::flex();
        let labelled = [3, 205];
        let chosen = typical_images(&features, 1, &labelled, 1, &device).unwrap();
        assert_eq!(kind(chosen[0]), 2);
        let all = typical_images(&features, 1000, &labelled, 1, &device).unwrap();
        let mut rows = [&all[..], &labelled].concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..260).collect::<Vec<_>>());
    }

    #[test]
    fn a_typical_image_lies_in_the_midst_of_its_kind() {
        let features = three_kinds();
        let row = typical_images(&features, 1, &[], 1, &Device::flex()).unwrap()[0];
        let rows = features.select(&(0..200).collect::<Vec<_>>());
        let graph = NeighbourGraph::new(&rows, 20, 0, &Device::flex()).unwrap();
        let scores = outlier_scores(&graph);
        let nearer = scores.iter().filter(|&&score| score < scores[row]).count();
        assert!(nearer < 10, "{nearer} of 200 are more typical");
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let features = Features::new(vec![1.0, 2.0], 1);
        let device = Device::flex();
        let message = |count, labelled: &[usize]| {
            typical_images(&features, count, labelled, 0, &device).unwrap_err().to_string()
        };
        assert_eq!(message(0, &[]), "expected count to be at least 1, found 0");
        assert_eq!(message(1, &[2]), "expected labelled to be of rows below 2, found 2");
    }
}
