use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use super::rules;
use crate::draw::{Draws, SMALLEST_SIGMA};

/// The Gaussian blur: its frequency and its width.
///
/// The kernel's width follows from the output size (see [`kernel_size`](Self::kernel_size)); the
/// standard deviation, sigma, is drawn for each view. Google's code draws one sigma for the whole batch;
/// the torch reimplementations draw one for each image, as here.
///
/// Source: paper appendix A; `random_blur` in google's `data_util.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlurConfig {
    /// The probability that a view is blurred, in `0..=1`.
    pub probability: f64,
    /// Smallest and largest standard deviation, in output pixels: `0.001 <= min <= max`, finite.
    pub sigma: [f64; 2],
}

impl BlurConfig {
    /// Half of the views, sigma 0.1 to 2: the paper's choice.
    pub const PAPER: Self = Self { probability: 0.5, sigma: [0.1, 2.0] };

    /// The kernel's width in pixels for a view of `size x size`: a tenth of the size, rounded to an odd
    /// number, at least 3.
    ///
    /// ```
    /// use simclr_augment::BlurConfig;
    ///
    /// assert_eq!([224, 96, 32].map(BlurConfig::kernel_size), [23, 9, 3]);
    /// ```
    #[must_use]
    pub fn kernel_size(size: u32) -> u32 {
        2 * (size / 20).max(1) + 1
    }

    pub(super) fn check(&self) -> Result<(), OutOfRange> {
        rules::probability("probability", self.probability)?;
        let [min, max] = self.sigma;
        let legal = min >= f64::from(SMALLEST_SIGMA) && min <= max && max <= f64::from(f32::MAX);
        let expected = "[min, max] with 0.001 <= min <= max, both finite";
        rules::range("sigma", legal, expected, self.sigma)
    }

    pub(crate) fn draw(&self, draws: &mut Draws) -> Option<f32> {
        draws.chance(self.probability).then(|| draws.uniform(self.sigma) as f32)
    }
}
