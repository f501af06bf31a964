use serde::{Deserialize, Serialize};

use crate::augmentation_config::check_probability;
use crate::{AugmentationError, Draws};

/// Solarisation: values of at least a threshold are inverted.
///
/// No part of `SimCLR`'s policy; BYOL's second view has it with probability 0.2 and threshold 0.5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolarizeConfig {
    /// How often a view is solarised, in `0..=1`.
    pub probability: f64,
    /// Values from here on become `1 - value`, in `0..=1`.
    pub threshold: f64,
}

impl SolarizeConfig {
    pub(crate) fn check(&self) -> Result<(), AugmentationError> {
        check_probability("solarize.probability", self.probability)?;
        if !(0.0..=1.0).contains(&self.threshold) {
            let expected = "a value in 0..=1";
            return Err(AugmentationError::config("solarize.threshold", expected, self.threshold));
        }
        Ok(())
    }

    pub(crate) fn draw(&self, draws: &mut Draws) -> Option<f32> {
        draws.chance(self.probability).then_some(self.threshold as f32)
    }
}
