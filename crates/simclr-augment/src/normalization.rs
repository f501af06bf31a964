use serde::{Deserialize, Serialize};

use crate::AugmentationError;

/// What is subtracted from, and then divides, each channel of a view in `[0, 1]`: `(value - mean) /
/// std`.
///
/// Google's SimCLR code does not normalise ([`NONE`](Self::NONE)); the torch reimplementations do.
/// Pretraining and evaluation must agree.
///
/// ```
/// use simclr_augment::Normalization;
///
/// assert_eq!(Normalization::NONE.mean, [0.0; 3]);
/// assert_eq!(Normalization::CIFAR10.mean, [0.4914, 0.4822, 0.4465]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalization {
    /// Mean of red, green and blue, in the units of a view in `[0, 1]`: finite.
    pub mean: [f32; 3],
    /// Standard deviation of red, green and blue, in the same units: finite and above
    /// 0, and so are their inverses.
    pub std: [f32; 3],
}

impl Normalization {
    /// Leaves values in `[0, 1]`, as google's code does.
    pub const NONE: Self = Self { mean: [0.0; 3], std: [1.0; 3] };

    /// ImageNet's mean and standard deviation, as torchvision's pretrained weights expect them.
    pub const IMAGENET: Self = Self { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

    /// CIFAR-10's mean and standard deviation over the training pixels.
    pub const CIFAR10: Self = Self { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] };

    /// Maps `[0, 1]` to `[-1, 1]`.
    pub const CENTRED: Self = Self { mean: [0.5; 3], std: [0.5; 3] };

    pub(crate) fn check(&self) -> Result<(), AugmentationError> {
        if !self.mean.iter().all(|mean| mean.is_finite()) {
            return Err(AugmentationError::config(
                "normalization.mean",
                "three finite numbers",
                self.mean,
            ));
        }
        let fits = |std: &f32| *std > 0.0 && std.is_finite() && std.recip().is_finite();
        if !self.std.iter().all(fits) {
            let expected = "three finite numbers above 0, whose inverses are finite";
            return Err(AugmentationError::config("normalization.std", expected, self.std));
        }
        Ok(())
    }
}
