use std::fmt::Debug;

use crate::CropBox;

/// What can be wrong with a policy, with a view's parameters, or with the image they are applied
/// to.
///
/// Each message says what was expected and what was found.
///
/// ```
/// use simclr_augment::SimClrAugmentation;
///
/// let mut config = SimClrAugmentation::cifar10().config().clone();
/// config.flip_probability = 1.5;
/// let error = SimClrAugmentation::new(config).unwrap_err();
/// assert_eq!(error.to_string(), "`flip_probability`: expected a probability in 0..=1, found 1.5");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AugmentationError {
    /// A field of a configuration is out of its range, or not a finite number.
    #[error("`{field}`: expected {expected}, found {found}")]
    InvalidConfig {
        /// The field's path, for example `crop.area`.
        field: &'static str,
        /// The values that are allowed.
        expected: &'static str,
        /// The value that was given.
        found: String,
    },

    /// A field of [`ViewParams`](crate::ViewParams) is out of its range, or not a finite number.
    #[error("view parameter `{field}`: expected {expected}, found {found}")]
    InvalidParams {
        /// The field's path, for example `jitter.hue`.
        field: &'static str,
        /// The values that are allowed.
        expected: &'static str,
        /// The value that was given.
        found: String,
    },

    /// The crop box is empty or reaches outside the image it is applied to.
    #[error(
        "expected a crop box of at least 1x1 pixel inside the {width}x{height} image, found {crop}"
    )]
    CropOutsideImage {
        /// The box that was given.
        crop: CropBox,
        /// The image's width in pixels.
        width: u32,
        /// The image's height in pixels.
        height: u32,
    },

    /// A policy with a step of the caller's own, which runs on the CPU only, was to run on a device.
    #[error("expected a policy without steps of its own for a device, found {step}")]
    StepOnDevice {
        /// The step, as it describes itself.
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

impl AugmentationError {
    pub(crate) fn config(field: &'static str, expected: &'static str, found: impl Debug) -> Self {
        Self::InvalidConfig { field, expected, found: format!("{found:?}") }
    }

    pub(crate) fn params(field: &'static str, expected: &'static str, found: impl Debug) -> Self {
        Self::InvalidParams { field, expected, found: format!("{found:?}") }
    }
}
