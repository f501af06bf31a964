use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use super::blur_config::BlurConfig;
use super::color_jitter_config::ColorJitterConfig;
use super::crop_config::CropConfig;
use super::erasing_config::ErasingConfig;
use super::fit::Fit;
use super::ground::Ground;
use super::normalization::Normalization;
use super::padded_crop_config::PaddedCropConfig;
use super::rotation_config::RotationConfig;
use super::rules;
use super::solarize_config::SolarizeConfig;

/// Every number of the augmentation policy, in the order in which the steps run.
///
/// Plain data with public fields: start from a preset, change what you need, and let
/// [`SimClrAugmentation::new`](crate::SimClrAugmentation::new) check it. A deserialiser refuses unknown
/// fields, so that a misspelt step is an error. An optional step that is absent does not run; no other
/// field has a default.
///
/// ```
/// use simclr_augment::SimClrAugmentation;
///
/// let mut config = SimClrAugmentation::cifar10().config().clone();
/// config.crop.area = [0.2, 1.0];
/// let policy = SimClrAugmentation::new(config)?;
/// assert_eq!(policy.config().crop.area, [0.2, 1.0]);
/// # Ok::<(), simclr_augment::OutOfRange>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentationConfig {
    /// Width and height of a view in pixels: 1 to 16384, and at least 2 with blur.
    pub size: u32,
    /// Random resized crop.
    pub crop: CropConfig,
    /// A padded crop instead of the random resized one, of whose config only the
    /// [`filter`](CropConfig::filter) then counts; `None` (an absent field) in the paper.
    pub padded_crop: Option<PaddedCropConfig>,
    /// The probability that a view is mirrored left to right, in `0..=1`.
    pub flip_probability: f64,
    /// The probability that a view is mirrored top to bottom, in `0..=1`; 0 in the paper.
    pub vertical_flip_probability: f64,
    /// Random resized rotation; `None` (an absent field) in the paper.
    pub rotation: Option<RotationConfig>,
    /// Brightness, contrast, saturation and hue, in random order.
    pub color_jitter: ColorJitterConfig,
    /// The probability that a view loses its colour, in `0..=1`.
    pub grayscale_probability: f64,
    /// Gaussian blur; `None` (an absent field) is no blur.
    pub blur: Option<BlurConfig>,
    /// Solarisation; `None` in the paper.
    pub solarize: Option<SolarizeConfig>,
    /// Random erasing; `None` in the paper.
    pub erasing: Option<ErasingConfig>,
    /// The last step, for values in `[0, 1]`.
    pub normalization: Normalization,
    /// Whether every view is the whole image, resized and normalised, without any other step: a way to
    /// see whether images arrive as they should. Training on such views teaches nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole_images: bool,
    /// How the transform of [`evaluation`](crate::SimClrAugmentation::evaluation) makes a square of an
    /// image; the centred one if the field is absent. It has no part in the views.
    #[serde(default, skip_serializing_if = "Fit::is_crop")]
    pub evaluation_fit: Fit,
    /// What transparent images lie on, for views and for evaluation; white if the field is absent. It
    /// tells whoever decodes the images: they have none but opaque pixels when they come here.
    #[serde(default, skip_serializing_if = "Ground::is_white")]
    pub ground: Ground,
}

impl AugmentationConfig {
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        let within = |step: &'static str| move |error: OutOfRange| error.within(step);
        rules::size(self.size)?;
        self.crop.check().map_err(within("crop"))?;
        if let Some(padded) = &self.padded_crop {
            padded.check(self.size).map_err(within("padded_crop"))?;
        }
        rules::probability("flip_probability", self.flip_probability)?;
        rules::probability("vertical_flip_probability", self.vertical_flip_probability)?;
        if let Some(rotation) = &self.rotation {
            rotation.check().map_err(within("rotation"))?;
        }
        self.color_jitter.check().map_err(within("color_jitter"))?;
        rules::probability("grayscale_probability", self.grayscale_probability)?;
        if let Some(blur) = &self.blur {
            blur.check().map_err(within("blur"))?;
            OutOfRange::unless(self.size >= 2, "size", "at least 2 with blur", self.size)?;
        }
        if let Some(solarize) = &self.solarize {
            solarize.check().map_err(within("solarize"))?;
        }
        if let Some(erasing) = &self.erasing {
            erasing.check().map_err(within("erasing"))?;
        }
        self.normalization.check()
    }
}
