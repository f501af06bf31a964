use simclr_range::OutOfRange;

use crate::draw::CropBox;

/// A view that cannot be made: of this image, of these parameters, or on this device.
///
/// ```
/// use image::RgbImage;
/// use simclr_augment::{AugmentationError, CropBox, SimClrAugmentation, ViewParams};
///
/// let (policy, image) = (SimClrAugmentation::cifar10(), RgbImage::new(40, 30));
/// let outside = ViewParams::only_crop(CropBox { x: 35, y: 0, width: 10, height: 20 });
/// let error = policy.view(&image, &outside).unwrap_err();
/// assert!(matches!(error, AugmentationError::CropOutsideImage { .. }));
/// assert_eq!(
///     error.to_string(),
///     "expected a crop box of at least 1x1 pixel inside the 40x30 image, found 10x20 at (35, 0)"
/// );
///
/// let inside = ViewParams::only_crop(CropBox::whole(40, 30));
/// let error = policy.view(&image, &ViewParams { rotation: Some(200.0), ..inside }).unwrap_err();
/// assert_eq!(error.to_string(), "expected rotation to be in -180..=180, found 200");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AugmentationError {
    /// A value is out of its range; of a view's parameters, for example `jitter.hue`.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),

    /// The crop box is empty or reaches outside its image.
    #[error(
        "expected a crop box of at least 1x1 pixel inside the {width}x{height} image, found {crop}"
    )]
    CropOutsideImage {
        /// The box.
        crop: CropBox,
        /// The image's width in pixels.
        width: u32,
        /// The image's height in pixels.
        height: u32,
    },

    /// The policy has a [`ViewStep`](crate::ViewStep), which runs on the CPU only, and was to run on a
    /// device.
    #[error("expected a policy without steps of its own for a device, found {step}")]
    StepOnDevice {
        /// The step's `Debug` output.
        step: String,
    },

    /// The output slice does not hold exactly one view.
    #[error("expected an output of {expected} values (3 x size x size), found {found}")]
    OutputLength {
        /// `3 * size * size`.
        expected: usize,
        /// The slice's length.
        found: usize,
    },
}
