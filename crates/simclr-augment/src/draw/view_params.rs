use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

use super::crop_box::CropBox;
use super::jitter_params::JitterParams;
use super::padded_window::PaddedWindow;
use crate::error::AugmentationError;

/// Below this the squared standard deviation of a blur nears the end of single precision, and the kernel
/// is a single 1.
pub(crate) const SMALLEST_SIGMA: f32 = 0.001;

/// Everything that was drawn for one view, enough to make the view again.
///
/// Plain data: print it, store it, replay it, or hand it to another implementation and compare the
/// pixels. The steps run in the order of the fields. The policy has the rest: the view's size, its
/// normalisation, and the filter that resizes the crop. The values are checked when a view is made of
/// them and an image: they may come from a file, and the crop must fit the image.
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
    /// The window that a padded crop cuts out of that part; `None` resizes it to the view.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub padded: Option<PaddedWindow>,
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
    /// The solarisation inverts values of at least this number; `None` is no solarisation.
    pub solarize: Option<f32>,
    /// The box of the view that is erased, if any.
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
            padded: None,
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

    /// Whether these parameters make a view of `size x size` from an image of `width x height`, by a
    /// policy with or without steps of its own.
    pub(crate) fn check(
        &self,
        [width, height]: [u32; 2],
        size: u32,
        has_own_steps: bool,
    ) -> Result<(), AugmentationError> {
        if !self.crop.lies_inside(width, height) {
            return Err(AugmentationError::CropOutsideImage { crop: self.crop, width, height });
        }
        if let Some(window) = self.padded {
            let sides = [self.crop.width, self.crop.height];
            window.check(sides, size).map_err(|error| error.within("padded"))?;
        }
        if let Some(degrees) = self.rotation {
            let legal = (-180.0..=180.0).contains(&degrees);
            OutOfRange::unless(legal, "rotation", "in -180..=180", degrees)?;
        }
        if let Some(jitter) = &self.jitter {
            jitter.check().map_err(|error| error.within("jitter"))?;
        }
        if let Some(sigma) = self.blur_sigma {
            let legal = sigma.is_finite() && sigma >= SMALLEST_SIGMA;
            OutOfRange::unless(legal, "blur_sigma", "finite and at least 0.001", sigma)?;
            OutOfRange::unless(size > 1, "blur_sigma", "none for a view of one pixel", sigma)?;
        }
        if let Some(threshold) = self.solarize {
            OutOfRange::unless(!threshold.is_nan(), "solarize", "a number", threshold)?;
        }
        if let Some(erase) = self.erase {
            let expected = "a box of at least 1x1 pixel inside the view";
            OutOfRange::unless(erase.lies_inside(size, size), "erase", expected, erase)?;
        }
        if let Some(seed) = self.custom_seed {
            let expected = "none for a policy without steps of its own";
            OutOfRange::unless(has_own_steps, "custom_seed", expected, seed)?;
        }
        Ok(())
    }
}
