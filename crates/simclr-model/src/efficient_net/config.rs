//! The description of an `EfficientNet`, and how one is built from it.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use super::inverted_residual::InvertedResidual;
use super::network::EfficientNet;
use super::variant::EfficientNetVariant;
use crate::error::ModelError;
use crate::layers::ConvNorm;
use crate::weight_init::WeightInit;

/// How many times as many features the network gives as its last block has channels.
const HEAD_EXPANSION: usize = 4;

/// What the name of an encoder has after the variant if it computes [as TensorFlow's
/// original](EfficientNetConfig::tensorflow).
pub(crate) const TENSORFLOW: &str = "_tf";

/// Describes an [`EfficientNet`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_model::{EfficientNetConfig, EfficientNetVariant, Encoder};
///
/// let encoder = EfficientNetConfig::new(EfficientNetVariant::B0).init(0, &Device::flex())?;
/// let h = encoder.encode(Tensor::zeros([1, 3, 32, 32], &Device::flex()));
/// assert_eq!(h.dims(), [1, 1280]);
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EfficientNetConfig {
    /// The size.
    pub variant: EfficientNetVariant,
    /// The probability, in 0..1, of dropping the last block's residual branch in training. The blocks before it drop
    /// theirs less often, in proportion to their depth.
    pub stochastic_depth: f64,
    /// Whether it computes as TensorFlow's original does: layers with a stride pad more at the bottom and on the right
    /// (the padding that TensorFlow calls "same"), and batch normalisation has an eps of 1e-3. For weights of
    /// `efficientnet_pytorch` and of timm's `tf_efficientnet_b0`. Without it, as in torchvision and timm's
    /// `efficientnet_b0`, layers are padded alike on all sides, and the eps is 1e-5.
    #[serde(default)]
    pub tensorflow: bool,
}

impl EfficientNetConfig {
    /// The network with a stochastic depth of 0.2, as in the paper (section 5.2) and in torchvision, and with
    /// torchvision's padding.
    #[must_use]
    pub fn new(variant: EfficientNetVariant) -> Self {
        Self { variant, stochastic_depth: 0.2, tensorflow: false }
    }

    /// Checks the values.
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        let legal = (0.0..1.0).contains(&self.stochastic_depth);
        OutOfRange::unless(legal, "stochastic_depth", "in 0..1", self.stochastic_depth)
    }

    /// Builds the network with weights drawn from `seed`.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`] if the stochastic depth is not in 0..1.
    pub fn init(&self, seed: u64, device: &Device) -> Result<EfficientNet, ModelError> {
        self.check()?;
        let Self { variant, stochastic_depth, tensorflow } = *self;
        let init = &mut WeightInit::new(seed, device);
        let stem = ConvNorm::new([3, variant.stem_channels()], 3, 2, init);
        let shapes = variant.block_shapes();
        let share = stochastic_depth / shapes.len() as f64;
        let blocks = (shapes.iter().enumerate())
            .map(|(block, &shape)| InvertedResidual::new(shape, share * block as f64, init))
            .collect();
        let channels = variant.last_channels();
        let feature_size = HEAD_EXPANSION * channels;
        let head = ConvNorm::new([channels, feature_size], 1, 1, init);
        let net = EfficientNet { stem, blocks, head, feature_size, variant, tensorflow };
        Ok(if tensorflow { net.like_tensorflow() } else { net })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_that_is_always_dropped_is_refused() {
        for found in [1.0, -0.1, f64::NAN] {
            let standard = EfficientNetConfig::new(EfficientNetVariant::B0);
            let config = EfficientNetConfig { stochastic_depth: found, ..standard };
            let error = config.init(0, &Device::flex()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("expected stochastic_depth to be in 0..1, found {found}")
            );
        }
    }
}
