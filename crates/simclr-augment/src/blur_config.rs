use serde::{Deserialize, Serialize};

use crate::augmentation_config::check_probability;
use crate::{AugmentationError, Draws};

/// The Gaussian blur: how often, and how wide.
///
/// The kernel's width follows from the output size (see [`kernel_size`](Self::kernel_size)); the
/// standard deviation is drawn for each view. Google's code draws one sigma for the whole batch;
/// the torch reimplementations draw one for each image, as here. Note that sigma is a standard
/// deviation, not a radius.
///
/// Source: paper appendix A; `random_blur` in google's `data_util.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlurConfig {
    /// How often a view is blurred, in `0..=1`.
    pub probability: f64,
    /// Smallest and largest standard deviation, in output pixels: `0.001 <= min <= max`, finite.
    pub sigma: [f64; 2],
}

impl BlurConfig {
    /// Half of the views, sigma 0.1 to 2: the paper's choice.
    pub const PAPER: Self = Self { probability: 0.5, sigma: [0.1, 2.0] };

    /// The kernel's width in pixels for a view of `size x size`: a tenth of the size, made odd, at
    /// least 3.
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

    pub(crate) fn check(&self, size: u32) -> Result<(), AugmentationError> {
        check_probability("blur.probability", self.probability)?;
        let [min, max] = self.sigma;
        if !(min >= f64::from(SMALLEST_SIGMA) && min <= max && max <= f64::from(f32::MAX)) {
            return Err(AugmentationError::config(
                "blur.sigma",
                "0.001 <= min <= max, both finite",
                self.sigma,
            ));
        }
        if size < 2 {
            return Err(AugmentationError::config("blur", "no blur at a size below 2", size));
        }
        Ok(())
    }

    pub(crate) fn draw(&self, draws: &mut Draws) -> Option<f32> {
        draws.chance(self.probability).then(|| draws.uniform(self.sigma) as f32)
    }
}

/// Below this the squared standard deviation nears the end of single precision, and the kernel is a
/// single 1 anyway.
pub(crate) const SMALLEST_SIGMA: f32 = 0.001;
