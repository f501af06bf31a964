use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use super::rules;
use crate::draw::Draws;

/// Solarisation: inverts values of at least a threshold.
///
/// It is not part of SimCLR's policy; BYOL's second view has it with probability 0.2 and threshold 0.5.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolarizeConfig {
    /// The probability that a view is solarised, in `0..=1`.
    pub probability: f64,
    /// Values from here on become `1 - value`, in `0..=1`.
    pub threshold: f64,
}

impl SolarizeConfig {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        rules::probability("probability", self.probability)?;
        let legal = (0.0..=1.0).contains(&self.threshold);
        OutOfRange::unless(legal, "threshold", "in 0..=1", self.threshold)
    }

    pub(crate) fn draw(&self, draws: &mut Draws) -> Option<f32> {
        draws.chance(self.probability).then_some(self.threshold as f32)
    }
}
