//! The temperature of a contrastive loss, checked once.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The temperature t that divides every similarity: finite and positive by construction.
///
/// A low temperature makes the hardest negatives count most. There is no default, because the
/// published ones disagree (0.07 to 1.0) and the right one depends on the data: SimCLR uses 0.1 on
/// ImageNet and 0.5 on CIFAR-10 (Chen et al. 2020, table 5 and appendix B.9).
///
/// ```
/// use simclr_loss::Temperature;
///
/// assert_eq!(Temperature::new(0.5)?.get(), 0.5);
/// assert!(Temperature::new(-1.0).is_err());
/// # Ok::<(), simclr_loss::TemperatureError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Temperature(f64);

/// A temperature that is zero, negative, infinite or not a number.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[error("expected a finite, positive temperature, found {found}")]
#[non_exhaustive]
pub struct TemperatureError {
    /// The value that was given.
    pub found: f64,
}

impl Temperature {
    /// Checks a temperature.
    ///
    /// # Errors
    ///
    /// [`TemperatureError`] unless `value` is finite and greater than zero.
    pub fn new(value: f64) -> Result<Self, TemperatureError> {
        if value.is_finite() && value > 0.0 {
            Ok(Self(value))
        } else {
            Err(TemperatureError { found: value })
        }
    }

    /// The value, finite and greater than zero.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Temperature {
    type Error = TemperatureError;

    fn try_from(value: f64) -> Result<Self, TemperatureError> {
        Self::new(value)
    }
}

impl From<Temperature> for f64 {
    fn from(temperature: Temperature) -> Self {
        temperature.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperature_must_be_finite_and_positive() {
        for bad in [0.0, -0.5, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let error = Temperature::new(bad).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("expected a finite, positive temperature, found {bad}")
            );
        }
        assert!(Temperature::new(f64::MIN_POSITIVE).is_ok());
    }

    #[test]
    fn a_config_cannot_smuggle_in_a_bad_temperature() {
        assert!(serde_json::from_str::<Temperature>("0.1").is_ok());
        let error = serde_json::from_str::<Temperature>("-0.1").unwrap_err();
        assert!(error.to_string().contains("found -0.1"), "{error}");
    }
}
