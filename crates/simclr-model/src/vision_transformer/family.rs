//! The published kinds of vision transformers.

use serde::{Deserialize, Serialize};

/// Which of the published vision transformers a [`VisionTransformer`](crate::VisionTransformer) is: what it has besides
/// patches, a class token and blocks, and what its features are. The networks are timm's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum VisionTransformerFamily {
    /// The original (Dosovitskiy et al. 2020), `DeiT`, timm's `augreg`. A position is learnt for each token; the features
    /// are the class token.
    #[default]
    Original,
    /// `DINOv2` (Oquab et al. 2023): the original with a learnt scale for each channel of a branch.
    DinoV2,
    /// `DINOv2` with registers (Darcet et al. 2023): four more tokens, and positions for patches alone.
    DinoV2Registers,
    /// `DINOv3` (Siméoni et al. 2025), as timm has it: scales and four registers as before; positions are rotations of
    /// queries and keys; queries, keys and values have no bias; the features are the mean of the patches.
    DinoV3,
    /// `DINOv3` as Meta publishes it, and timm's `_qkvb`: with biases of queries and values. timm leaves them out.
    #[serde(rename = "dinov3-qkvb")]
    DinoV3Biased,
}

impl VisionTransformerFamily {
    /// How many tokens there are besides the class token and the patches.
    pub(super) fn registers(self) -> usize {
        match self {
            Self::Original | Self::DinoV2 => 0,
            Self::DinoV2Registers | Self::DinoV3 | Self::DinoV3Biased => 4,
        }
    }

    /// Whether positions are learnt, each for a place in images of one size.
    #[must_use]
    pub fn learns_positions(self) -> bool {
        !self.is_dinov3()
    }

    /// Whether it is `DINOv3`, with biases or without.
    pub(super) fn is_dinov3(self) -> bool {
        matches!(self, Self::DinoV3 | Self::DinoV3Biased)
    }

    /// Whether the class token has a learnt position, too.
    pub(super) fn class_has_position(self) -> bool {
        matches!(self, Self::Original | Self::DinoV2)
    }

    /// The value of new layer scales, in the families that have them.
    pub(super) fn new_layer_scale(self) -> Option<f64> {
        (self != Self::Original).then_some(1e-5)
    }

    /// Whether queries, keys and values have a bias.
    pub(super) fn has_query_bias(self) -> bool {
        self != Self::DinoV3
    }

    /// Whether the bias of the keys counts. Where it doesn't, it is multiplied by zero.
    pub(super) fn has_key_bias(self) -> bool {
        !self.is_dinov3()
    }

    /// Whether the features are the mean of the patches, and not the class token.
    pub(super) fn averages_patches(self) -> bool {
        self.is_dinov3()
    }

    /// Added to the variance in every normalisation.
    pub(super) fn layer_norm_epsilon(self) -> f64 {
        if self.is_dinov3() { 1e-5 } else { 1e-6 }
    }
}
