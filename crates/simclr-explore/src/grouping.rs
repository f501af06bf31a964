//! Groups of the images, each with the one that stands for it.

use burn::tensor::Device;
use simclr_embed::{CosineIndex, Features, SphericalKMeans};

use crate::error::ExploreError;
use crate::preparation::SEED;

/// Images that groups are looked for in; of larger sets, a draw, whose groups take the others.
const GROUPED: usize = 20_000;
/// The most groups.
pub(crate) const MOST_GROUPS: usize = 1000;

/// The group of each image, and the image that stands for each group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grouping {
    pub(crate) of: Vec<u16>,
    pub(crate) medoids: Vec<usize>,
}

impl Grouping {
    /// `count` groups of unit vectors, at most 1,000, or fewer if there are not so many images.
    ///
    /// # Errors
    ///
    /// [`ExploreError::OutOfRange`] for no groups, or too many; [`ExploreError::Embed`] if the device fails.
    pub(crate) fn of(
        features: &Features,
        count: usize,
        device: &Device,
    ) -> Result<Self, ExploreError> {
        use simclr_range::OutOfRange;

        let legal = (1..=MOST_GROUPS).contains(&count);
        OutOfRange::unless(legal, "groups", format!("in 1..={MOST_GROUPS}"), count)?;
        let kmeans = SphericalKMeans::new(count.min(features.len()), SEED)?;
        let step = features.len().div_ceil(GROUPED);
        if step == 1 {
            let groups = kmeans.fit(features, device)?;
            let of = groups.of().iter().map(|&group| group as u16).collect();
            return Ok(Self { of, medoids: groups.medoids().to_vec() });
        }
        let drawn: Vec<usize> = (0..features.len()).step_by(step).collect();
        let groups = kmeans.fit(&features.select(&drawn), device)?;
        let index = CosineIndex::new(groups.centres(), device)?;
        let nearest = index.nearest_with(features, 1, |nearest| nearest[0])?;
        let mut best = vec![(f32::NEG_INFINITY, usize::MAX); groups.len()];
        for (row, near) in nearest.iter().enumerate() {
            let best = &mut best[near.row as usize];
            if near.cosine > best.0 {
                *best = (near.cosine, row);
            }
        }
        // The vectors of the draw are the centres' own, so that each has one.
        let medoids = best.into_iter().map(|(_, row)| row).collect();
        Ok(Self { of: nearest.iter().map(|near| near.row as u16).collect(), medoids })
    }

    /// Groups and medoids as they are kept.
    pub(crate) fn to_numbers(&self) -> (Vec<u32>, Vec<u32>) {
        let of = self.of.iter().map(|&group| u32::from(group)).collect();
        (of, self.medoids.iter().map(|&row| row as u32).collect())
    }

    /// Groups as they were kept; `None` if they don't fit together.
    pub(crate) fn from_numbers(of: &[u32], medoids: &[u32]) -> Option<Self> {
        let legal = !medoids.is_empty()
            && medoids.len() <= MOST_GROUPS
            && medoids.iter().enumerate().all(|(group, &row)| {
                of.get(row as usize).is_some_and(|&found| found as usize == group)
            })
            && of.iter().all(|&group| (group as usize) < medoids.len());
        legal.then(|| Self {
            of: of.iter().map(|&group| group as u16).collect(),
            medoids: medoids.iter().map(|&row| row as usize).collect(),
        })
    }

    /// Images in each group.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.medoids.len()];
        for &group in &self.of {
            sizes[usize::from(group)] += 1;
        }
        sizes
    }
}
