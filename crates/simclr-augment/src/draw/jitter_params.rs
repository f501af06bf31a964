use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

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
    /// Around the colour wheel.
    Hue,
}

/// The implementation whose operations are used: the references differ.
///
/// | | brightness | contrast | saturation |
/// |---|---|---|---|
/// | `torchvision` | `f x` | blend with the mean of the gray image | blend with the gray image |
/// | `google_v1` | `x + d` | blend with each channel's own mean | scale HSV's saturation |
/// | `google_v2` | `f x` | blend with each channel's own mean | scale HSV's saturation |
///
/// A blend of x with y is `f x + (1 - f) y`. Hue is the same in all three: it turns in HSV.
///
/// Sources: torchvision's functional operations on float images; `color_jitter_rand` and
/// `random_brightness` (its `impl`) in google's `data_util.py`, which calls TensorFlow's `adjust_contrast`,
/// `adjust_saturation` and `adjust_hue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JitterFlavor {
    /// The operations of the torch reimplementations of SimCLR.
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
    /// The implementation that the operations follow.
    pub flavor: JitterFlavor,
    /// The order of the operations, each exactly once.
    pub order: [JitterStep; 4],
    /// Factor of the brightness: finite and at least 0. With [`JitterFlavor::GoogleV1`], the summand:
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
    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        let all =
            [JitterStep::Brightness, JitterStep::Contrast, JitterStep::Saturation, JitterStep::Hue];
        let legal = all.iter().all(|step| self.order.contains(step));
        let found = format_args!("{:?}", self.order);
        OutOfRange::unless(legal, "order", "each of the four steps once", found)?;
        let factor = |field, factor: f32| {
            let legal = factor.is_finite() && factor >= 0.0;
            OutOfRange::unless(legal, field, "finite and at least 0", factor)
        };
        if self.flavor == JitterFlavor::GoogleV1 {
            let legal = self.brightness.is_finite();
            OutOfRange::unless(legal, "brightness", "finite", self.brightness)?;
        } else {
            factor("brightness", self.brightness)?;
        }
        factor("contrast", self.contrast)?;
        factor("saturation", self.saturation)?;
        OutOfRange::unless((-0.5..=0.5).contains(&self.hue), "hue", "in -0.5..=0.5", self.hue)
    }
}
