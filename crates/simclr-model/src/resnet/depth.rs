//! How deep a ResNet is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::residual_block::BOTTLENECK_EXPANSION;
use crate::error::ModelError;

/// The depth of a [`ResNet`](crate::ResNet), which fixes its blocks (He et al. 2015, table 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ResNetDepth {
    /// Basic blocks: 2, 2, 2, 2.
    ResNet18,
    /// Basic blocks: 3, 4, 6, 3.
    ResNet34,
    /// Bottleneck blocks: 3, 4, 6, 3.
    ResNet50,
    /// Bottleneck blocks: 3, 4, 23, 3.
    ResNet101,
    /// Bottleneck blocks: 3, 8, 36, 3.
    ResNet152,
}

impl ResNetDepth {
    pub(crate) const ALL: [(&'static str, Self); 5] = [
        ("resnet18", Self::ResNet18),
        ("resnet34", Self::ResNet34),
        ("resnet50", Self::ResNet50),
        ("resnet101", Self::ResNet101),
        ("resnet152", Self::ResNet152),
    ];

    /// The number of blocks in each of the four stages.
    pub(super) fn stages(self) -> [usize; 4] {
        match self {
            Self::ResNet18 => [2, 2, 2, 2],
            Self::ResNet34 | Self::ResNet50 => [3, 4, 6, 3],
            Self::ResNet101 => [3, 4, 23, 3],
            Self::ResNet152 => [3, 8, 36, 3],
        }
    }

    /// The stage of a block and its place in the stage, both counted from 0.
    pub(super) fn place_of_block(self, block: usize) -> Option<(usize, usize)> {
        let mut first = 0;
        for (stage, blocks) in self.stages().into_iter().enumerate() {
            if block < first + blocks {
                return Some((stage, block - first));
            }
            first += blocks;
        }
        None
    }

    /// How many times as many channels a block gives as its stage is wide.
    pub(super) fn expansion(self) -> usize {
        match self {
            Self::ResNet18 | Self::ResNet34 => 1,
            Self::ResNet50 | Self::ResNet101 | Self::ResNet152 => BOTTLENECK_EXPANSION,
        }
    }
}

impl fmt::Display for ResNetDepth {
    /// The name that is parsed: `resnet50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.iter().find(|(_, depth)| depth == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

impl FromStr for ResNetDepth {
    type Err = ModelError;

    fn from_str(name: &str) -> Result<Self, ModelError> {
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        known.map(|&(_, depth)| depth).ok_or_else(|| ModelError::UnknownEncoder {
            found: name.to_owned(),
            known: Self::ALL.map(|(known, _)| known).join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let error = "resnet19".parse::<ResNetDepth>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected an encoder out of resnet18, resnet34, resnet50, resnet101, resnet152, found \"resnet19\""
        );
    }
}
