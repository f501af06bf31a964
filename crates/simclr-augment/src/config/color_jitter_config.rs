use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use super::rules;
use crate::draw::{Draws, JitterFlavor, JitterParams, JitterStep};

/// The ranges of the colour jitter.
///
/// With strength `s`, the brightness factor is uniform in `[max(0, 1 - s * brightness), 1 + s *
/// brightness]`, and likewise those of contrast and saturation; the turn of the hue is uniform in
/// `[-s * hue, s * hue]`. The four run in an order drawn anew for each view, uniform among the 24. With
/// [`JitterFlavor::GoogleV1`], brightness adds a number uniform in `[-s * brightness, s * brightness]`.
///
/// ```
/// use simclr_augment::{ColorJitterConfig, JitterFlavor, SimClrAugmentation};
///
/// let mut config = SimClrAugmentation::imagenet().config().clone();
/// config.color_jitter = ColorJitterConfig::paper(JitterFlavor::GoogleV2, 1.0);
/// assert!(SimClrAugmentation::new(config).is_ok());
/// ```
///
/// Source: paper appendix A; `color_jitter_rand` in google's `data_util.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColorJitterConfig {
    /// The implementation that brightness, contrast and saturation follow.
    pub flavor: JitterFlavor,
    /// The probability of the jitter, in `0..=1`.
    pub probability: f64,
    /// The paper's strength `s`, which multiplies the four ranges, in `0..=1e6`.
    pub strength: f64,
    /// Half-width of the brightness range at strength 1, in `0..=1e6`.
    pub brightness: f64,
    /// Half-width of the contrast range at strength 1, in `0..=1e6`.
    pub contrast: f64,
    /// Half-width of the saturation range at strength 1, in `0..=1e6`.
    pub saturation: f64,
    /// Half-width of the hue range at strength 1, in full turns: at least 0, and `strength * hue`
    /// at most 0.5.
    pub hue: f64,
}

impl ColorJitterConfig {
    /// The paper's jitter at the given strength: probability 0.8, and 0.8, 0.8, 0.8 and 0.2 times the
    /// strength (appendix A). The paper's strength is 1 for ImageNet and 0.5 for CIFAR-10.
    #[must_use]
    pub const fn paper(flavor: JitterFlavor, strength: f64) -> Self {
        Self {
            flavor,
            probability: 0.8,
            strength,
            brightness: 0.8,
            contrast: 0.8,
            saturation: 0.8,
            hue: 0.2,
        }
    }

    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        rules::probability("probability", self.probability)?;
        let widths = [
            ("strength", self.strength),
            ("brightness", self.brightness),
            ("contrast", self.contrast),
            ("saturation", self.saturation),
            ("hue", self.hue),
        ];
        for (field, width) in widths {
            // The upper bound keeps the factors finite in single precision.
            OutOfRange::unless((0.0..=1e6).contains(&width), field, "in 0..=1e6", width)?;
        }
        let turn = self.strength * self.hue;
        OutOfRange::unless(turn <= 0.5, "hue", "at most 0.5 / strength", self.hue)
    }

    pub(crate) fn draw(&self, draws: &mut Draws) -> Option<JitterParams> {
        if !draws.chance(self.probability) {
            return None;
        }
        let turn = self.strength * self.hue;
        let factors = |width: f64| {
            let reach = self.strength * width;
            [(1.0 - reach).max(0.0), 1.0 + reach]
        };
        let brightnesses = match self.flavor {
            JitterFlavor::GoogleV1 => {
                [-1.0, 1.0].map(|sign| sign * self.strength * self.brightness)
            }
            JitterFlavor::GoogleV2 | JitterFlavor::Torchvision => factors(self.brightness),
        };
        let ranges =
            [brightnesses, factors(self.contrast), factors(self.saturation), [-turn, turn]];
        let [brightness, contrast, saturation, hue] =
            ranges.map(|range| draws.uniform(range) as f32);
        let (flavor, order) = (self.flavor, draw_order(draws));
        Some(JitterParams { flavor, order, brightness, contrast, saturation, hue })
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
