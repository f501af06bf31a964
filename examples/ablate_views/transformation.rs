//! The transformations that are paired.

use std::fmt;

use anyhow::Result;
use clap::ValueEnum;
use simclr::augment::{
    AugmentationConfig, BlurConfig, ColorJitterConfig, ErasingConfig, RotationConfig,
    SimClrAugmentation, SolarizeConfig,
};

/// One step of an augmentation, applied to every image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transformation {
    /// Another random resized crop, of the crop
    Crop,
    /// A square of a quarter of the area, painted over
    Cutout,
    /// Brightness, contrast, saturation and hue
    Color,
    /// No colour
    Gray,
    /// Bright values inverted
    Solarize,
    /// Gaussian blur
    Blur,
    /// Rotation by up to 90 degrees to either side, without empty corners
    Rotate,
    /// Left and right exchanged, half of the time
    Flip,
}

impl Transformation {
    /// This step alone, as strong as it is in the policy `whole`.
    pub(crate) fn policy(self, whole: &SimClrAugmentation) -> Result<SimClrAugmentation> {
        let mut config = unchanged(whole)?;
        let probability = 1.0;
        match self {
            Self::Crop => config.crop = whole.config().crop.clone(),
            Self::Cutout => {
                // 16 x 16 of 32 x 32 pixels, as DeVries and Taylor (2017) cut out of CIFAR-10.
                let (area, aspect) = ([0.25, 0.25], [1.0, 1.0]);
                config.erasing = Some(ErasingConfig { probability, area, aspect });
            }
            Self::Color => {
                let jitter = whole.config().color_jitter.clone();
                config.color_jitter = ColorJitterConfig { probability, ..jitter };
            }
            Self::Gray => config.grayscale_probability = probability,
            Self::Solarize => {
                config.solarize = Some(SolarizeConfig { probability, threshold: 0.5 });
            }
            Self::Blur => config.blur = Some(BlurConfig { probability, ..BlurConfig::PAPER }),
            Self::Rotate => {
                config.rotation = Some(RotationConfig { probability, degrees: [-90.0, 90.0] });
            }
            Self::Flip => config.flip_probability = 0.5,
        }
        Ok(SimClrAugmentation::new(config)?)
    }
}

/// A policy of the same size and normalisation that leaves a square image as it is.
pub(crate) fn unchanged(whole: &SimClrAugmentation) -> Result<AugmentationConfig> {
    let policy = whole.evaluation().crop_and_flip([1.0, 1.0])?;
    Ok(AugmentationConfig { flip_probability: 0.0, ..policy.config().clone() })
}

impl fmt::Display for Transformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value().expect("no transformation is hidden");
        f.pad(value.get_name())
    }
}
