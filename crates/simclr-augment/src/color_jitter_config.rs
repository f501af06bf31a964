use serde::{Deserialize, Serialize};

use crate::augmentation_config::check_probability;
use crate::draws::Draws;
use crate::{AugmentationError, JitterParams, JitterStep};

/// The ranges of the colour jitter.
///
/// With strength `s`, the brightness factor is uniform in `[max(0, 1 - s * brightness), 1 + s *
/// brightness]`, contrast and saturation alike; the hue turns by a uniform share of `[-s * hue, s *
/// hue]`. The four run in an order drawn anew for each view, uniform among the 24.
///
/// Source: paper appendix A; `color_jitter_rand` in google's `data_util.py`, whose factors are 0.8,
/// 0.8, 0.8 and 0.2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColorJitterConfig {
    /// How often the jitter is applied at all, in `0..=1`.
    pub probability: f64,
    /// The paper's strength `s`, which multiplies the four ranges: finite and at least 0.
    pub strength: f64,
    /// Half-width of the brightness range at strength 1: finite and at least 0.
    pub brightness: f64,
    /// Half-width of the contrast range at strength 1: finite and at least 0.
    pub contrast: f64,
    /// Half-width of the saturation range at strength 1: finite and at least 0.
    pub saturation: f64,
    /// Half-width of the hue range at strength 1, in full turns: at least 0, and `strength * hue`
    /// at most 0.5.
    pub hue: f64,
}

impl ColorJitterConfig {
    /// The paper's jitter at the given strength.
    pub(crate) const fn paper(strength: f64) -> Self {
        Self {
            probability: 0.8,
            strength,
            brightness: 0.8,
            contrast: 0.8,
            saturation: 0.8,
            hue: 0.2,
        }
    }

    pub(crate) fn check(&self) -> Result<(), AugmentationError> {
        check_probability("color_jitter.probability", self.probability)?;
        let widths = [
            ("color_jitter.strength", self.strength),
            ("color_jitter.brightness", self.brightness),
            ("color_jitter.contrast", self.contrast),
            ("color_jitter.saturation", self.saturation),
            ("color_jitter.hue", self.hue),
        ];
        for (field, width) in widths {
            // The upper bound keeps the factors finite once they are single precision.
            if !(0.0..=1e6).contains(&width) {
                return Err(AugmentationError::config(field, "a number in 0..=1e6", width));
            }
        }
        if self.strength * self.hue > 0.5 {
            let found = self.strength * self.hue;
            return Err(AugmentationError::config(
                "color_jitter.hue",
                "strength * hue <= 0.5",
                found,
            ));
        }
        Ok(())
    }

    pub(crate) fn draw(&self, draws: &mut Draws) -> Option<JitterParams> {
        if !draws.chance(self.probability) {
            return None;
        }
        let mut factor = |width: f64| {
            let reach = self.strength * width;
            draws.uniform([(1.0 - reach).max(0.0), 1.0 + reach]) as f32
        };
        let (brightness, contrast, saturation) =
            (factor(self.brightness), factor(self.contrast), factor(self.saturation));
        let turn = self.strength * self.hue;
        let hue = draws.uniform([-turn, turn]) as f32;
        Some(JitterParams { order: draw_order(draws), brightness, contrast, saturation, hue })
    }
}

/// A Fisher-Yates shuffle.
fn draw_order(draws: &mut Draws) -> [JitterStep; 4] {
    let mut order =
        [JitterStep::Brightness, JitterStep::Contrast, JitterStep::Saturation, JitterStep::Hue];
    for last in (1..4_u32).rev() {
        order.swap(last as usize, draws.below(last + 1) as usize);
    }
    order
}
