//! The linear probe that suits the number of images.

use burn::tensor::Device;
use simclr_embed::LabelledFeatures;
use simclr_range::OutOfRange;

use super::logistic_regression::{LogisticRegression, LogisticRegressionConfig};
use super::minibatch_probe::{MinibatchProbe, MinibatchProbeConfig};
use crate::error::EvalError;
use crate::linear_layer::LinearLayer;
use crate::protocol::{Fitted, Protocol};

/// Logistic regression by the solver that suits the number of training images: [`LogisticRegression`], exact on the
/// host, for up to 100,000; beyond them [`MinibatchProbe`], on a device.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_eval::{LinearProbe, Protocol};
///
/// let device = Device::flex();
/// let of = |images| LinearProbe::for_images(images, 1.0, &device).map(|probe| probe.describe());
/// assert_eq!(of(5000)?, "logistic regression (L-BFGS), C = 1");
/// assert!(of(1_281_167)?.starts_with("logistic regression (SGD on the device), C = 1, 30 epochs"));
/// # Ok::<(), simclr_eval::OutOfRange>(())
/// ```
#[derive(Debug, Clone)]
pub enum LinearProbe {
    /// To the optimum, in f64 on the host.
    Exact(LogisticRegression),
    /// A minibatch at a time, in f32 on a device.
    Minibatch(MinibatchProbe),
}

impl LinearProbe {
    /// The most training images of the exact solver: on 2 cores it takes minutes for so many.
    pub const MOST_EXACT: usize = 100_000;

    /// The probe for a training set of so many images, with default settings beside `c`, the inverse strength of the
    /// penalty.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] unless `c` is finite and positive.
    pub fn for_images(images: usize, c: f64, device: &Device) -> Result<Self, OutOfRange> {
        if images <= Self::MOST_EXACT {
            let config = LogisticRegressionConfig { c, ..LogisticRegressionConfig::default() };
            return Ok(Self::Exact(LogisticRegression::new(config)?));
        }
        let config = MinibatchProbeConfig { c, ..MinibatchProbeConfig::default() };
        Ok(Self::Minibatch(MinibatchProbe::new(config, device)?))
    }

    /// Learns from the training set, unless `told_to_stop` between two steps.
    ///
    /// # Errors
    ///
    /// [`EvalError::Stopped`], and those of [`Protocol::fit`].
    pub fn fit_until(
        &self,
        train: &LabelledFeatures,
        told_to_stop: &dyn Fn() -> bool,
    ) -> Result<LinearLayer, EvalError> {
        match self {
            Self::Exact(probe) => Ok(probe.fit_until(train, told_to_stop)?.layer),
            Self::Minibatch(probe) => probe.fit_until(train, told_to_stop),
        }
    }
}

impl Protocol for LinearProbe {
    fn fit<'a>(&'a self, train: &'a LabelledFeatures) -> Result<Box<dyn Fitted + 'a>, EvalError> {
        Ok(Box::new(self.fit_until(train, &|| false)?))
    }

    fn describe(&self) -> String {
        match self {
            Self::Exact(probe) => probe.describe(),
            Self::Minibatch(probe) => probe.describe(),
        }
    }

    fn standardizes(&self) -> bool {
        match self {
            Self::Exact(probe) => probe.standardizes(),
            Self::Minibatch(probe) => probe.standardizes(),
        }
    }
}
