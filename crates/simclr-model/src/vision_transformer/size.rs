//! How large vision transformers are.

use serde::{Deserialize, Serialize};

/// Length of one head's queries, keys and values.
pub(super) const HEAD_SIZE: usize = 64;

/// How large a [`VisionTransformer`](crate::VisionTransformer) is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum VisionTransformerSize {
    /// Features of length 192, 3 heads, 12 blocks (Touvron et al. 2020, table 1).
    Tiny,
    /// Features of length 384, 6 heads, 12 blocks (Touvron et al. 2020, table 1).
    Small,
    /// Features of length 768, 12 heads, 12 blocks (Dosovitskiy et al. 2020, table 1).
    Base,
}

impl VisionTransformerSize {
    pub(super) const ALL: [(&'static str, Self); 3] =
        [("tiny", Self::Tiny), ("small", Self::Small), ("base", Self::Base)];

    /// The size whose features have length `width`.
    pub(super) fn of_width(width: usize) -> Option<Self> {
        Self::ALL.into_iter().map(|(_, size)| size).find(|size| size.heads() * HEAD_SIZE == width)
    }

    pub(super) fn heads(self) -> usize {
        match self {
            Self::Tiny => 3,
            Self::Small => 6,
            Self::Base => 12,
        }
    }
}
