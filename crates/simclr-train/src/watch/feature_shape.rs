//! What features look like without labels.

use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};
use simclr_embed::Features;

use crate::watch::representation::{
    MOST_ROWS, effective_rank, standard_deviation, uniformity, unit_rows,
};

/// The shape of frozen features, in evaluation mode, measured on at most 512 of them, evenly chosen: what says without
/// labels whether an encoder learns or collapses. A [`Representation`](crate::Representation) is of a training batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FeatureShape {
    /// Effective rank: the exponential of the entropy of the singular values, in 1..=min(n, feature size) (Garrido et al.
    /// 2023, `RankMe`).
    pub effective_rank: f64,
    /// Logarithm of the mean Gaussian potential exp(-2 distance²) of the features at length 1, in -8..=0: lower is more
    /// evenly spread (Wang and Isola 2020). ReLU's features are nowhere negative, and stay above -4.
    pub uniformity: f64,
    /// Mean standard deviation of the coordinates of the features at length 1, times √d: 1 for an evenly filled sphere, 0
    /// for a collapse (Chen and He 2021, figure 2).
    pub standard_deviation: f64,
}

impl FeatureShape {
    /// `None` without features, or if one that is looked at is NaN or infinite.
    #[must_use]
    pub fn new(features: &Features) -> Option<Self> {
        let count = features.len().min(MOST_ROWS);
        let row = |place: usize| features.row(place * features.len() / count);
        let values = (0..count).flat_map(row).map(|&x| f64::from(x));
        let rows = DMatrix::from_row_iterator(count, features.size(), values);
        if count == 0 || !rows.iter().all(|x| x.is_finite()) {
            return None;
        }
        let effective_rank = effective_rank(&rows);
        let unit = unit_rows(rows);
        Some(Self {
            effective_rank,
            uniformity: uniformity(&unit),
            standard_deviation: standard_deviation(&unit),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_features_have_rank_1_and_orthogonal_ones_their_number() {
        let same = FeatureShape::new(&Features::new([1.0, 2.0].repeat(600), 2)).unwrap();
        assert!((same.effective_rank - 1.0).abs() < 1e-6, "{same:?}");
        assert!(same.uniformity.abs() < 1e-6 && same.standard_deviation < 1e-6, "{same:?}");
        let axes = Features::new([1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0].repeat(2), 3);
        assert!(FeatureShape::new(&axes).unwrap().effective_rank > 2.8);
    }

    #[test]
    fn the_rows_that_are_looked_at_lie_all_over_the_set() {
        // The first 512 rows are alike.
        let row = |i: usize| if i < 512 { [1.0, 0.0] } else { [0.0, 1.0] };
        let features = Features::new((0..1024).flat_map(row).collect(), 2);
        assert!((FeatureShape::new(&features).unwrap().effective_rank - 2.0).abs() < 1e-6);
    }

    #[test]
    fn no_features_and_broken_ones_have_no_shape() {
        assert_eq!(FeatureShape::new(&Features::new(vec![], 3)), None);
        assert_eq!(FeatureShape::new(&Features::new(vec![1.0, f32::NAN], 2)), None);
    }
}
