//! The description of a `ConvNeXt`, and how one is built from it.

use burn::nn::LayerNormConfig;
use burn::nn::conv::Conv2dConfig;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use simclr_nn::LayerNorm;
use simclr_range::OutOfRange;

use super::network::ConvNext;
use super::size::ConvNextSize;
use super::stage::ConvNextStage;
use crate::error::ModelError;
use crate::weight_init::WeightInit;

/// Added to the variance in every normalisation, as in the original, timm and torchvision.
const LAYER_NORM_EPSILON: f64 = 1e-6;
/// Standard deviation of new weights, which are cut off at two of it, as in the original.
pub(super) const WEIGHT_STD: f64 = 0.02;
/// Side of the patches that the first layer takes.
const PATCH: usize = 4;

/// A layer normalisation of `channels`.
pub(super) fn layer_norm(channels: usize, device: &Device) -> LayerNorm {
    LayerNorm::new(&LayerNormConfig::new(channels).with_epsilon(LAYER_NORM_EPSILON), device)
}

/// Describes a [`ConvNext`].
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use simclr_model::{ConvNextConfig, ConvNextSize, Encoder};
///
/// let encoder = ConvNextConfig::new(ConvNextSize::Tiny).init(0, &Device::flex())?;
/// let h = encoder.encode(Tensor::zeros([1, 3, 32, 32], &Device::flex()));
/// assert_eq!(h.dims(), [1, 768]);
/// # Ok::<(), simclr_model::ModelError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvNextConfig {
    /// The size.
    pub size: ConvNextSize,
    /// The probability, in 0..1, of dropping the last block's residual branch in training. The blocks before it drop
    /// theirs less often, in proportion to their depth, and the first never.
    pub stochastic_depth: f64,
}

impl ConvNextConfig {
    /// The network with the stochastic depth of the original and of torchvision: 0.1, 0.4 and 0.5 from tiny to base. timm
    /// has none unless asked.
    #[must_use]
    pub fn new(size: ConvNextSize) -> Self {
        Self { size, stochastic_depth: size.stochastic_depth() }
    }

    /// Checks the values.
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        let legal = (0.0..1.0).contains(&self.stochastic_depth);
        OutOfRange::unless(legal, "stochastic_depth", "in 0..1", self.stochastic_depth)
    }

    /// Builds the network with weights drawn from `seed`: truncated normal with standard deviation 0.02; biases are zero,
    /// and layer scales 1e-6.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfRange`] if the stochastic depth is not in 0..1.
    pub fn init(&self, seed: u64, device: &Device) -> Result<ConvNext, ModelError> {
        self.check()?;
        let init = &mut WeightInit::new(seed, device);
        let shapes = self.size.stages();
        let blocks: usize = shapes.iter().map(|(_, blocks)| blocks).sum();
        let share = self.stochastic_depth / (blocks - 1) as f64;
        let mut drop_probabilities = (0..blocks).map(|block| share * block as f64);
        let [(channels, _), .., (feature_size, _)] = shapes;
        let stem = Conv2dConfig::new([3, channels], [PATCH; 2]).with_stride([PATCH; 2]);
        let stem = init.truncated_normal_conv2d(&stem, WEIGHT_STD).into();
        let mut stages = Vec::new();
        let mut channels_in = channels;
        for (channels, blocks) in shapes {
            let drop_probabilities: Vec<f64> = drop_probabilities.by_ref().take(blocks).collect();
            stages.push(ConvNextStage::new([channels_in, channels], &drop_probabilities, init));
            channels_in = channels;
        }
        Ok(ConvNext {
            stem,
            stem_norm: layer_norm(channels, device),
            stages,
            norm: layer_norm(feature_size, device),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_that_is_always_dropped_is_refused() {
        for found in [1.0, -0.1, f64::NAN] {
            let config = ConvNextConfig { size: ConvNextSize::Tiny, stochastic_depth: found };
            assert_eq!(
                config.init(0, &Device::flex()).unwrap_err().to_string(),
                format!("expected stochastic_depth to be in 0..1, found {found}")
            );
        }
    }
}
