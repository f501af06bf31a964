use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use super::rules;
use crate::draw::{CropBox, Draws};

/// The number of boxes that are tried before the view is left whole, as in torchvision.
const ATTEMPTS: u32 = 10;

/// Random erasing: paints a box of the view with the normalisation's mean, which becomes 0 when the
/// view is normalised.
///
/// It is not part of SimCLR's policy. Source: "Random Erasing Data Augmentation" (Zhong et al., 2020);
/// torchvision's `RandomErasing` on a normalised tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasingConfig {
    /// The probability that a box is erased, in `0..=1`.
    pub probability: f64,
    /// Smallest and largest share of the view's area: `0 < min <= max <= 1`. torchvision: 0.02 to 0.33.
    pub area: [f64; 2],
    /// Smallest and largest aspect ratio, width / height: `0 < min <= max`, finite. torchvision: 0.3 to
    /// 3.3.
    pub aspect: [f64; 2],
}

impl ErasingConfig {
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        rules::probability("probability", self.probability)?;
        rules::area(self.area)?;
        rules::aspect(self.aspect)
    }

    /// A box whose sides are both shorter than the view's, as in torchvision.
    pub(crate) fn draw(&self, draws: &mut Draws, size: u32) -> Option<CropBox> {
        if !draws.chance(self.probability) {
            return None;
        }
        let log_aspect = self.aspect.map(libm::log);
        let attempt = |_| CropBox::draw(draws, self.area, log_aspect, [size; 2], [size - 1; 2]);
        (0..ATTEMPTS).find_map(attempt)
    }
}
