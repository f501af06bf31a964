//! How large an `EfficientNet` is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::inverted_residual::InvertedResidualShape;
use crate::error::ModelError;

/// How large an [`EfficientNet`](crate::EfficientNet) is (Tan and Le 2019, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum EfficientNetVariant {
    /// Width 1, depth 1; made for 224 pixels.
    B0,
    /// Width 1, depth 1.1; made for 240 pixels.
    B1,
    /// Width 1.1, depth 1.2; made for 260 pixels.
    B2,
    /// Width 1.2, depth 1.4; made for 300 pixels.
    B3,
}

/// One stage of B0 (table 1).
struct Stage {
    /// How many times as many channels the depthwise convolution has as the block's input.
    expansion: usize,
    kernel: usize,
    /// Stride of the first block; the others have 1.
    stride: usize,
    channels: usize,
    blocks: usize,
}

impl Stage {
    const fn new([expansion, kernel, stride, channels, blocks]: [usize; 5]) -> Self {
        Self { expansion, kernel, stride, channels, blocks }
    }
}

/// Expansion, kernel, stride, channels and blocks.
const STAGES: [Stage; 7] = [
    Stage::new([1, 3, 1, 16, 1]),
    Stage::new([6, 3, 2, 24, 2]),
    Stage::new([6, 5, 2, 40, 2]),
    Stage::new([6, 3, 2, 80, 3]),
    Stage::new([6, 5, 1, 112, 3]),
    Stage::new([6, 5, 2, 192, 4]),
    Stage::new([6, 3, 1, 320, 1]),
];
const STEM_CHANNELS: usize = 32;
const LAST_CHANNELS: usize = STAGES[STAGES.len() - 1].channels;

impl EfficientNetVariant {
    pub(crate) const ALL: [(&'static str, Self); 4] = [
        ("efficientnet_b0", Self::B0),
        ("efficientnet_b1", Self::B1),
        ("efficientnet_b2", Self::B2),
        ("efficientnet_b3", Self::B3),
    ];

    /// Factors of B0's channels and blocks.
    fn scale(self) -> (f64, f64) {
        match self {
            Self::B0 => (1.0, 1.0),
            Self::B1 => (1.0, 1.1),
            Self::B2 => (1.1, 1.2),
            Self::B3 => (1.2, 1.4),
        }
    }

    fn channels(self, of_b0: usize) -> usize {
        round_channels(of_b0 as f64 * self.scale().0)
    }

    fn blocks(self, of_b0: usize) -> usize {
        (of_b0 as f64 * self.scale().1).ceil() as usize
    }

    pub(super) fn stem_channels(self) -> usize {
        self.channels(STEM_CHANNELS)
    }

    /// Channels of the last block.
    pub(super) fn last_channels(self) -> usize {
        self.channels(LAST_CHANNELS)
    }

    /// The stage of a block and its place in the stage, both counted from 0.
    pub(super) fn place_of_block(self, block: usize) -> Option<(usize, usize)> {
        let mut first = 0;
        for (stage, &Stage { blocks, .. }) in STAGES.iter().enumerate() {
            let blocks = self.blocks(blocks);
            if block < first + blocks {
                return Some((stage, block - first));
            }
            first += blocks;
        }
        None
    }

    /// The shape of every block, in order.
    pub(super) fn block_shapes(self) -> Vec<InvertedResidualShape> {
        let mut shapes = Vec::new();
        let mut channels_in = self.stem_channels();
        for &Stage { expansion, kernel, stride, channels, blocks } in &STAGES {
            let channels_out = self.channels(channels);
            for block in 0..self.blocks(blocks) {
                shapes.push(InvertedResidualShape {
                    channels_in,
                    expanded: round_channels((channels_in * expansion) as f64),
                    channels_out,
                    kernel,
                    stride: if block == 0 { stride } else { 1 },
                });
                channels_in = channels_out;
            }
        }
        shapes
    }
}

impl fmt::Display for EfficientNetVariant {
    /// The name that is parsed: `efficientnet_b0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.iter().find(|(_, variant)| variant == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

impl FromStr for EfficientNetVariant {
    type Err = ModelError;

    fn from_str(name: &str) -> Result<Self, ModelError> {
        let known = Self::ALL.iter().find(|(known, _)| *known == name);
        known.map(|&(_, variant)| variant).ok_or_else(|| ModelError::UnknownEncoder {
            found: name.to_owned(),
            known: Self::ALL.map(|(known, _)| known).join(", "),
        })
    }
}

/// The nearest multiple of 8, but at least 90 % of `channels`.
fn round_channels(channels: f64) -> usize {
    let rounded = (((channels + 4.0) / 8.0).floor() * 8.0).max(8.0);
    let rounded = if rounded < 0.9 * channels { rounded + 8.0 } else { rounded };
    rounded as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_multiples_of_8_and_lose_at_most_a_tenth() {
        for channels in 1..2000 {
            let rounded = round_channels(f64::from(channels));
            assert!(rounded.is_multiple_of(8) && rounded as f64 >= 0.9 * f64::from(channels));
        }
    }
}
