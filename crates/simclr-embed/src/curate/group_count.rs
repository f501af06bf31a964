//! How many groups there are.

use burn::tensor::Device;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::groups::Groups;
use super::spherical_k_means::SphericalKMeans;
use crate::error::EmbedError;
use crate::search::CosineIndex;
use crate::vectors::Features;

/// Images that are grouped again and again; of more, a draw.
const MOST_IMAGES: usize = 10_000;
/// Each count up to here is tried, and beyond it every count that is larger by an eighth, up to the last one.
const EACH_UP_TO: usize = 16;
const LARGEST: usize = 100;

/// The number of groups that was chosen, and how well each number fits.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupCount {
    /// The number of the highest silhouette, the smallest of equals.
    pub count: usize,
    /// Each number that was tried and its simplified silhouette, in -1..=1; ascending by number.
    pub silhouettes: Vec<(usize, f64)>,
}

/// Chooses a number of groups for [`SphericalKMeans`]: that of the highest simplified silhouette (Hruschka, de Castro and Campello 2004; Rousseeuw 1987),
/// of the numbers 2 to 16 and some up to 100 or the square root of the number of images, whichever is less.
///
/// ```text
/// a_i, b_i: distance, 1 - cosine, of vector i to the centre of its own group, and to the nearest other centre
/// silhouette = mean of (b_i - a_i) / max(a_i, b_i)
/// ```
///
/// It favours few groups that lie far apart. Of more than 10,000 images, 10,000 are drawn by the seed. Sets of fewer than four are one group.
///
/// # Errors
///
/// Those of [`SphericalKMeans::fit`].
pub fn group_count(
    features: &Features,
    seed: u64,
    device: &Device,
) -> Result<GroupCount, EmbedError> {
    features.check("set")?;
    let drawn = (features.len() > MOST_IMAGES).then(|| draw(features, seed));
    let features = drawn.as_ref().unwrap_or(features);
    let mut silhouettes = Vec::new();
    for count in counts(features.len()) {
        let groups = SphericalKMeans::new(count, seed)?.fit(features, device)?;
        if groups.len() == count {
            silhouettes.push((count, silhouette(features, &groups, device)?));
        }
    }
    let best =
        silhouettes.iter().copied().reduce(|best, next| if next.1 > best.1 { next } else { best });
    Ok(GroupCount { count: best.map_or(1, |best| best.0), silhouettes })
}

/// The numbers that are tried for so many images.
fn counts(images: usize) -> Vec<usize> {
    let most = images.isqrt().min(LARGEST);
    let next =
        |&count: &usize| Some(if count < EACH_UP_TO { count + 1 } else { count + count / 8 });
    std::iter::successors(Some(2), next).take_while(|&count| count <= most).collect()
}

fn draw(features: &Features, seed: u64) -> Features {
    let mut rows: Vec<usize> = (0..features.len()).collect();
    let (drawn, _) = rows.partial_shuffle(&mut ChaCha8Rng::seed_from_u64(seed), MOST_IMAGES);
    drawn.sort_unstable();
    features.select(drawn)
}

/// The simplified silhouette of at least two groups.
fn silhouette(features: &Features, groups: &Groups, device: &Device) -> Result<f64, EmbedError> {
    let index = CosineIndex::new(groups.centres(), device)?;
    let of_each = index.nearest_with(features, 2, |two| {
        let [near, far] =
            [two[0].cosine, two[1].cosine].map(|cosine| f64::from(1.0 - cosine).max(0.0));
        let (own, other) = (near.min(far), near.max(far));
        if other > 0.0 { (other - own) / other } else { 0.0 }
    })?;
    Ok(of_each.iter().sum::<f64>() / features.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngExt;

    /// Forty vectors around each of so many directions.
    fn around(groups: usize) -> Features {
        let size = 32;
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let mut normal = move || (0..12).map(|_| random.random::<f32>()).sum::<f32>() - 6.0;
        let centres: Vec<f32> = (0..groups * size).map(|_| normal()).collect();
        let value = |at: usize| centres[at / size % groups * size + at % size] + 0.3 * normal();
        Features::new((0..40 * groups * size).map(value).collect(), size)
    }

    #[test]
    fn as_many_groups_are_counted_as_there_are() {
        for groups in [2, 5, 11] {
            let found = group_count(&around(groups), 1, &Device::flex()).unwrap();
            assert_eq!(found.count, groups, "{:?}", found.silhouettes);
            assert!(found.silhouettes.is_sorted_by(|a, b| a.0 < b.0));
        }
    }

    #[test]
    fn a_few_images_are_one_group() {
        let features = Features::new(vec![1.0, 0.0, 0.0, 1.0, 0.5, 0.5], 2);
        let found = group_count(&features, 1, &Device::flex()).unwrap();
        assert_eq!((found.count, found.silhouettes.len()), (1, 0));
        let equal = Features::new([[1.0, 2.0]; 30].concat(), 2);
        assert_eq!(group_count(&equal, 1, &Device::flex()).unwrap().count, 1);
    }

    #[test]
    fn larger_numbers_are_tried_in_larger_steps() {
        assert!(counts(3).is_empty());
        assert_eq!(counts(30), [2, 3, 4, 5]);
        let many = counts(1_000_000);
        assert_eq!(many[14..18], [16, 18, 20, 22]);
        assert!(many.len() < 40 && many[many.len() - 1] > 90, "{many:?}");
    }
}
