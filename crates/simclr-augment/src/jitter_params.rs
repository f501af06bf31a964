use serde::{Deserialize, Serialize};

use crate::AugmentationError;

/// One of the four colour operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JitterStep {
    /// Blend with black.
    Brightness,
    /// Blend with the mean of the gray image.
    Contrast,
    /// Blend with the gray image.
    Saturation,
    /// Turn the hue.
    Hue,
}

/// The colour jitter of one view: four operations and the order in which they run.
///
/// A factor `f` blends an image `x` with another `y` as `f x + (1 - f) y`, so 1 leaves the image
/// alone. Values are clipped to `[0, 1]` after each operation. The semantics are those of
/// torchvision's functional operations on float images; google's TensorFlow code differs in
/// contrast, where it blends with each channel's own mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JitterParams {
    /// The order of the operations, each exactly once.
    pub order: [JitterStep; 4],
    /// Factor of the blend with black: finite and at least 0.
    pub brightness: f32,
    /// Factor of the blend with the mean of the gray image: finite and at least 0.
    pub contrast: f32,
    /// Factor of the blend with the gray image: finite and at least 0.
    pub saturation: f32,
    /// Turn of the hue, in full turns: -0.5 to 0.5, 0 leaves the image alone.
    pub hue: f32,
}

impl JitterParams {
    pub(crate) fn check(&self) -> Result<(), AugmentationError> {
        let all =
            [JitterStep::Brightness, JitterStep::Contrast, JitterStep::Saturation, JitterStep::Hue];
        if !all.iter().all(|step| self.order.contains(step)) {
            return Err(AugmentationError::params(
                "jitter.order",
                "each of the four steps once",
                self.order,
            ));
        }
        let factors = [
            ("jitter.brightness", self.brightness),
            ("jitter.contrast", self.contrast),
            ("jitter.saturation", self.saturation),
        ];
        for (field, factor) in factors {
            if !(factor.is_finite() && factor >= 0.0) {
                return Err(AugmentationError::params(
                    field,
                    "a finite factor of at least 0",
                    factor,
                ));
            }
        }
        if !(-0.5..=0.5).contains(&self.hue) {
            return Err(AugmentationError::params("jitter.hue", "a turn in -0.5..=0.5", self.hue));
        }
        Ok(())
    }
}
