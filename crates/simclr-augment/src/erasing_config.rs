use serde::{Deserialize, Serialize};

use crate::augmentation_config::check_probability;
use crate::{AugmentationError, CropBox, Draws};

/// How many boxes are tried before the view is left whole, as in torchvision.
const ATTEMPTS: u32 = 10;

/// Random erasing: a box of the view is painted with the normalisation's mean, which is 0 once the
/// view is normalised.
///
/// No part of `SimCLR`'s policy. Source: "Random Erasing Data Augmentation" (Zhong et al., 2020);
/// torchvision's `RandomErasing` on a normalised tensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasingConfig {
    /// How often a box is erased, in `0..=1`.
    pub probability: f64,
    /// Smallest and largest share of the view's area: `0 < min <= max <= 1`. torchvision: 0.02 to 0.33.
    pub area: [f64; 2],
    /// Smallest and largest aspect ratio, width / height: `0 < min <= max`, finite. torchvision: 0.3 to
    /// 3.3.
    pub aspect: [f64; 2],
}

impl ErasingConfig {
    pub(crate) fn check(&self) -> Result<(), AugmentationError> {
        check_probability("erasing.probability", self.probability)?;
        let [min, max] = self.area;
        if !(min > 0.0 && min <= max && max <= 1.0) {
            return Err(AugmentationError::config(
                "erasing.area",
                "0 < min <= max <= 1",
                self.area,
            ));
        }
        let [min, max] = self.aspect;
        if !(min > 0.0 && min <= max && max.is_finite()) {
            let expected = "0 < min <= max, both finite";
            return Err(AugmentationError::config("erasing.aspect", expected, self.aspect));
        }
        Ok(())
    }

    /// A box with both sides below the view's, as in torchvision.
    pub(crate) fn draw(&self, draws: &mut Draws, size: u32) -> Option<CropBox> {
        if !draws.chance(self.probability) {
            return None;
        }
        let log_aspect = self.aspect.map(libm::log);
        let attempt = |_| CropBox::draw(draws, self.area, log_aspect, [size; 2], [size - 1; 2]);
        (0..ATTEMPTS).find_map(attempt)
    }
}
