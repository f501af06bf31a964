use serde::{Deserialize, Serialize};

use crate::blur_config::SMALLEST_SIGMA;
use crate::{AugmentationError, CropBox, JitterParams};

/// Everything that was drawn for one view, and all that is needed to make it again.
///
/// Plain data: print it, store it, replay it, or hand it to another implementation and compare the
/// pixels. The steps run in the order of the fields. What a view's size and normalisation are, and by
/// which filter its crop is resized, is the policy's. Values are checked when they are applied,
/// since they may come from a file.
///
/// ```
/// use simclr_augment::{SimClrAugmentation, ViewKey, ViewParams};
///
/// let key = ViewKey { seed: 0, pass: 0, index: 0, view: 0 };
/// let params = SimClrAugmentation::imagenet().draw(key, 640, 480);
/// let json = serde_json::to_string(&params)?;
/// assert_eq!(serde_json::from_str::<ViewParams>(&json)?, params);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewParams {
    /// The part of the image that becomes the view.
    pub crop: CropBox,
    /// Whether the view is mirrored left to right.
    pub flip: bool,
    /// Whether the view is mirrored top to bottom.
    pub vertical_flip: bool,
    /// The angle of the resized rotation in degrees, counter-clockwise, finite and -180 to 180; `None`
    /// is no rotation.
    pub rotation: Option<f32>,
    /// The colour jitter; `None` leaves the colours alone.
    pub jitter: Option<JitterParams>,
    /// Whether the view loses its colour: each channel becomes 0.299 R + 0.587 G + 0.114 B.
    pub grayscale: bool,
    /// Standard deviation of the Gaussian blur in output pixels, finite and at least 0.001; `None`
    /// is no blur.
    pub blur_sigma: Option<f32>,
    /// Values of at least this are inverted; a number, or `None`.
    pub solarize: Option<f32>,
    /// The box of the view that is painted over, if any.
    pub erase: Option<CropBox>,
    /// Seeds the draws of the policy's own [`ViewStep`](crate::ViewStep)s; `None` runs none of them.
    pub custom_seed: Option<u64>,
}

impl ViewParams {
    /// The parameters that only resize: this crop, and no other step.
    ///
    /// ```
    /// use image::{Rgb, RgbImage};
    /// use simclr_augment::{CropBox, SimClrAugmentation, ViewParams};
    ///
    /// let image = RgbImage::from_fn(32, 32, |x, y| Rgb([x as u8, y as u8, 7]));
    /// let params = ViewParams::only_crop(CropBox::whole(32, 32));
    /// assert_eq!(SimClrAugmentation::cifar10().view(&image, &params)?, image);
    /// # Ok::<(), simclr_augment::AugmentationError>(())
    /// ```
    #[must_use]
    pub fn only_crop(crop: CropBox) -> Self {
        Self {
            crop,
            flip: false,
            vertical_flip: false,
            rotation: None,
            jitter: None,
            grayscale: false,
            blur_sigma: None,
            solarize: None,
            erase: None,
            custom_seed: None,
        }
    }

    /// Whether a view of `size x size` can be made with these parameters from an image of `width x
    /// height`.
    pub(crate) fn check(
        &self,
        width: u32,
        height: u32,
        size: u32,
    ) -> Result<(), AugmentationError> {
        self.crop.check_inside(width, height)?;
        if let Some(degrees) = self.rotation
            && !(-180.0..=180.0).contains(&degrees)
        {
            let expected = "an angle in -180..=180";
            return Err(AugmentationError::params("rotation", expected, degrees));
        }
        if let Some(jitter) = &self.jitter {
            jitter.check()?;
        }
        if let Some(sigma) = self.blur_sigma {
            if !(sigma.is_finite() && sigma >= SMALLEST_SIGMA) {
                let expected = "a finite standard deviation of at least 0.001";
                return Err(AugmentationError::params("blur_sigma", expected, sigma));
            }
            if size < 2 {
                return Err(AugmentationError::params(
                    "blur_sigma",
                    "no blur at a size below 2",
                    size,
                ));
            }
        }
        if self.solarize.is_some_and(f32::is_nan) {
            return Err(AugmentationError::params("solarize", "a number", f32::NAN));
        }
        if let Some(erase) = self.erase
            && erase.check_inside(size, size).is_err()
        {
            let expected = "a box of at least 1x1 pixel inside the view";
            return Err(AugmentationError::params("erase", expected, erase));
        }
        Ok(())
    }
}
