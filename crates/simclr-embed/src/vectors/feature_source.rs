//! Where feature vectors come from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where feature vectors come from.
///
/// h and z of one network differ by ten points and more (Chen et al. 2020, section 4.2), so a figure
/// without the source of its features says little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FeatureSource {
    /// The encoder's output h: what is used after training.
    Encoder,
    /// The projection head's output z: what the loss compared.
    Projection,
    /// The image itself.
    RawPixels,
    /// The caller.
    Given,
}

impl fmt::Display for FeatureSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoder => "h (encoder)",
            Self::Projection => "z (projection)",
            Self::RawPixels => "raw pixels",
            Self::Given => "given features",
        })
    }
}
