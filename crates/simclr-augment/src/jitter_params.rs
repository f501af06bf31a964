use serde::{Deserialize, Serialize};

use crate::AugmentationError;

/// One of the four colour operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JitterStep {
    /// Towards black or white.
    Brightness,
    /// Towards or away from the mean.
    Contrast,
    /// Towards or away from gray.
    Saturation,
    /// Turn the hue.
    Hue,
}

/// What the four operations mean: reference implementations differ.
///
/// | | brightness | contrast | saturation |
/// |---|---|---|---|
/// | `torchvision` | `f x` | blend with the mean of the gray image | blend with the gray image |
/// | `google_v1` | `x + d` | blend with each channel's own mean | scale HSV's saturation |
/// | `google_v2` | `f x` | blend with each channel's own mean | scale HSV's saturation |
///
/// A blend of x with y is `f x + (1 - f) y`. Hue is the same in all: it turns in HSV.
///
/// Sources: torchvision's functional operations on float images; `color_jitter_rand` and
/// `random_brightness` (its `impl`) in google's `data_util.py`, which calls TensorFlow's `adjust_contrast`,
/// `adjust_saturation` and `adjust_hue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JitterFlavor {
    /// What torch reimplementations of `SimCLR` do.
    Torchvision,
    /// Google's code with `--color_jitter_impl=simclrv1`.
    GoogleV1,
    /// Google's code by default.
    GoogleV2,
}

/// The colour jitter of one view: four operations and the order in which they run.
///
/// A factor of 1 leaves the image alone. Values are clipped to `[0, 1]` after each operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JitterParams {
    /// What the operations mean.
    pub flavor: JitterFlavor,
    /// The order of the operations, each exactly once.
    pub order: [JitterStep; 4],
    /// Factor of the brightness: finite and at least 0. With [`JitterFlavor::GoogleV1`], what is added:
    /// finite.
    pub brightness: f32,
    /// Factor of the contrast: finite and at least 0.
    pub contrast: f32,
    /// Factor of the saturation: finite and at least 0.
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
        let added = self.flavor == JitterFlavor::GoogleV1;
        if added && !self.brightness.is_finite() {
            let expected = "a finite number to add";
            return Err(AugmentationError::params("jitter.brightness", expected, self.brightness));
        }
        let factors = [
            ("jitter.brightness", if added { 1.0 } else { self.brightness }),
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
