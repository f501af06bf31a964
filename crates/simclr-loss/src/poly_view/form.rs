//! How an anchor's positives count together.

use serde::{Deserialize, Serialize};

/// How the positives of an anchor count together in a [`PolyView`](crate::PolyView) loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolyViewForm {
    /// The mean of the positives' logarithms, so that the positive that is hardest to find counts most.
    #[default]
    Geometric,
    /// The logarithm of the positives' mean, so that one positive that is found is nearly enough.
    Arithmetic,
    /// One positive: the mean direction of the other V - 1 views of the anchor's image, told apart from the same means of
    /// other images.
    SufficientStatistics,
}
