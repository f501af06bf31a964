//! Groups of vectors.

use std::cmp::Reverse;

use crate::vectors::Features;

/// Groups that [`SphericalKMeans`](crate::SphericalKMeans) found, the largest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    of: Vec<usize>,
    cosines: Vec<f32>,
    medoids: Vec<usize>,
    centres: Features,
}

/// Groups that don't change any more.
pub(super) struct Settled {
    pub(super) centres: Features,
    pub(super) of: Vec<usize>,
    pub(super) cosines: Vec<f32>,
    /// The mean of the cosines.
    pub(super) mean: f64,
}

impl Groups {
    pub(super) fn new(settled: Settled) -> Self {
        let Settled { centres, of, cosines, .. } = settled;
        let mut sizes = vec![0; centres.len()];
        for &group in &of {
            sizes[group] += 1;
        }
        let mut order: Vec<usize> = (0..sizes.len()).filter(|&group| sizes[group] > 0).collect();
        order.sort_by_key(|&group| Reverse(sizes[group]));
        let mut new_names = vec![usize::MAX; sizes.len()];
        order.iter().enumerate().for_each(|(new, &old)| new_names[old] = new);
        let of: Vec<usize> = of.into_iter().map(|group| new_names[group]).collect();
        let mut medoids = vec![usize::MAX; order.len()];
        for (row, &group) in of.iter().enumerate() {
            let best = medoids[group];
            if best == usize::MAX || cosines[row] > cosines[best] {
                medoids[group] = row;
            }
        }
        Self { of, cosines, medoids, centres: centres.select(&order) }
    }

    /// Number of groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.medoids.len()
    }

    /// Whether there are no groups: never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.medoids.is_empty()
    }

    /// The group of each vector, below [`len`](Self::len).
    #[must_use]
    pub fn of(&self) -> &[usize] {
        &self.of
    }

    /// The cosine of each vector and its group's centre.
    #[must_use]
    pub fn cosines(&self) -> &[f32] {
        &self.cosines
    }

    /// The vector that stands for each group: that of the highest cosine to the centre. The mean distance, 1 - cosine, of all members to it is the
    /// smallest, for a centre has the direction of their sum.
    #[must_use]
    pub fn medoids(&self) -> &[usize] {
        &self.medoids
    }

    /// The centre of each group, of length 1.
    #[must_use]
    pub fn centres(&self) -> &Features {
        &self.centres
    }

    /// The vectors of a group, ascending.
    #[must_use]
    pub fn members(&self, group: usize) -> Vec<usize> {
        (0..self.of.len()).filter(|&row| self.of[row] == group).collect()
    }
}
