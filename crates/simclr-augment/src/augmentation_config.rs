use serde::{Deserialize, Serialize};

use crate::{
    AugmentationError, BlurConfig, ColorJitterConfig, CropConfig, ErasingConfig, Normalization,
    RotationConfig, SolarizeConfig,
};

/// The largest side of a view. At this size the values of a view can still be counted in 32 bits.
const LARGEST_SIZE: u32 = 16_384;

/// Every number of the augmentation policy, in the order in which the steps run.
///
/// Plain data with public fields: start from a preset, change what you need, and let
/// [`SimClrAugmentation::new`](crate::SimClrAugmentation::new) check it. Reading it from a file
/// refuses unknown fields, so that a misspelt one is not silently left out: an absent step of those
/// that may be absent does not run, and nothing else has a default.
///
/// ```
/// use simclr_augment::SimClrAugmentation;
///
/// let mut config = SimClrAugmentation::cifar10().config().clone();
/// config.crop.area = [0.2, 1.0];
/// let policy = SimClrAugmentation::new(config)?;
/// assert_eq!(policy.config().crop.area, [0.2, 1.0]);
/// # Ok::<(), simclr_augment::AugmentationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentationConfig {
    /// Width and height of a view in pixels: 1 to 16384, and at least 2 with blur.
    pub size: u32,
    /// Random resized crop.
    pub crop: CropConfig,
    /// How often a view is mirrored left to right, in `0..=1`.
    pub flip_probability: f64,
    /// How often a view is mirrored top to bottom, in `0..=1`: never in the paper.
    pub vertical_flip_probability: f64,
    /// Random resized rotation; `None` (an absent field) in the paper.
    pub rotation: Option<RotationConfig>,
    /// Brightness, contrast, saturation and hue, in random order.
    pub color_jitter: ColorJitterConfig,
    /// How often a view loses its colour, in `0..=1`.
    pub grayscale_probability: f64,
    /// Gaussian blur; `None` (an absent field) is no blur.
    pub blur: Option<BlurConfig>,
    /// Solarisation; `None` in the paper.
    pub solarize: Option<SolarizeConfig>,
    /// Random erasing; `None` in the paper.
    pub erasing: Option<ErasingConfig>,
    /// The last step, for values in `[0, 1]`.
    pub normalization: Normalization,
    /// Every view is the whole image, resized and normalised, and nothing else is done to it: to see
    /// whether images arrive as they should. Training on such views teaches nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub debug: bool,
}

impl AugmentationConfig {
    pub(crate) fn check(&self) -> Result<(), AugmentationError> {
        check_size(self.size)?;
        self.crop.check()?;
        check_probability("flip_probability", self.flip_probability)?;
        check_probability("vertical_flip_probability", self.vertical_flip_probability)?;
        if let Some(rotation) = &self.rotation {
            rotation.check()?;
        }
        self.color_jitter.check()?;
        check_probability("grayscale_probability", self.grayscale_probability)?;
        if let Some(blur) = &self.blur {
            blur.check(self.size)?;
        }
        if let Some(solarize) = &self.solarize {
            solarize.check()?;
        }
        if let Some(erasing) = &self.erasing {
            erasing.check()?;
        }
        self.normalization.check()
    }
}

pub(crate) fn check_size(size: u32) -> Result<(), AugmentationError> {
    if !(1..=LARGEST_SIZE).contains(&size) {
        return Err(AugmentationError::config("size", "a size in 1..=16384", size));
    }
    Ok(())
}

pub(crate) fn check_probability(field: &'static str, value: f64) -> Result<(), AugmentationError> {
    if !(0.0..=1.0).contains(&value) {
        return Err(AugmentationError::config(field, "a probability in 0..=1", value));
    }
    Ok(())
}
