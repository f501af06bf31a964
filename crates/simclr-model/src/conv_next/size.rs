//! The sizes of `ConvNeXts`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How large a [`ConvNext`](crate::ConvNext) is (Liu et al. 2022, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ConvNextSize {
    /// Features of length 768; 3, 3, 9 and 3 blocks.
    Tiny,
    /// Features of length 768; 3, 3, 27 and 3 blocks.
    Small,
    /// Features of length 1024; 3, 3, 27 and 3 blocks.
    Base,
}

impl ConvNextSize {
    pub(crate) const ALL: [(&'static str, Self); 3] = [
        ("convnext_tiny", Self::Tiny),
        ("convnext_small", Self::Small),
        ("convnext_base", Self::Base),
    ];

    /// Channels and the number of blocks of each stage.
    pub(super) fn stages(self) -> [(usize, usize); 4] {
        match self {
            Self::Tiny => [(96, 3), (192, 3), (384, 9), (768, 3)],
            Self::Small => [(96, 3), (192, 3), (384, 27), (768, 3)],
            Self::Base => [(128, 3), (256, 3), (512, 27), (1024, 3)],
        }
    }

    /// The probability with which the last block drops its branch in the training of the original and of torchvision.
    pub(crate) fn stochastic_depth(self) -> f64 {
        match self {
            Self::Tiny => 0.1,
            Self::Small => 0.4,
            Self::Base => 0.5,
        }
    }
}

impl fmt::Display for ConvNextSize {
    /// The name that is parsed: `convnext_tiny`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.iter().find(|(_, size)| size == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}
