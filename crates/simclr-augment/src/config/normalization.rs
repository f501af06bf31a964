use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

/// The mean and the standard deviation that normalise each channel of a view in `[0, 1]`:
/// `(value - mean) / std`.
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
    /// Standard deviation of red, green and blue, in the same units: finite and positive, with finite
    /// inverses.
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

    /// Names the field by its path in the configs that have a field `normalization`.
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        let Self { mean, std } = self;
        let legal = mean.iter().all(|mean| mean.is_finite());
        let expected = "three finite numbers";
        OutOfRange::unless(legal, "normalization.mean", expected, format_args!("{mean:?}"))?;
        let fits = |std: &f32| *std > 0.0 && std.is_finite() && std.recip().is_finite();
        let legal = std.iter().all(fits);
        let expected = "three finite, positive numbers with finite inverses";
        OutOfRange::unless(legal, "normalization.std", expected, format_args!("{std:?}"))
    }
}
