use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use super::rules;
use crate::draw::Draws;

/// The random resized rotation: the view is turned about its centre, and the largest upright square
/// that the turned view covers is resized to the view's size, so that no corner is empty.
///
/// It is not part of SimCLR's policy. It suits images without an upright, such as microscopy or aerial
/// photographs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationConfig {
    /// The probability that a view is turned, in `0..=1`.
    pub probability: f64,
    /// Smallest and largest angle in degrees, counter-clockwise: `-180 <= min <= max <= 180`. The
    /// angle is uniform between them.
    pub degrees: [f64; 2],
}

impl RotationConfig {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        rules::probability("probability", self.probability)?;
        let [min, max] = self.degrees;
        let legal = -180.0 <= min && min <= max && max <= 180.0;
        let expected = "[min, max] with -180 <= min <= max <= 180";
        rules::range("degrees", legal, expected, self.degrees)
    }

    pub(crate) fn draw(&self, draws: &mut Draws) -> Option<f32> {
        draws.chance(self.probability).then(|| draws.uniform(self.degrees) as f32)
    }
}
