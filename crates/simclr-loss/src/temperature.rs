//! The temperature of a contrastive loss, checked once.

use serde::{Deserialize, Serialize};
use simclr_range::OutOfRange;

/// The temperature t that divides every similarity: finite and positive by construction.
///
/// A low temperature makes the hardest negatives count most. There is no default, because the
/// published ones disagree (0.07 to 1.0) and the right one depends on the data: SimCLR uses 0.1 on
/// ImageNet and 0.5 on CIFAR-10 (Chen et al. 2020, table 5 and appendix B.9).
///
/// Every loss takes a temperature as a number, which it checks, or as a `Temperature`.
///
/// ```
/// use simclr_loss::{NtXent, Temperature};
///
/// let temperature = Temperature::new(0.5)?;
/// assert_eq!(NtXent::new(temperature)?, NtXent::new(0.5)?);
///
/// let error = Temperature::new(-1.0).unwrap_err();
/// assert_eq!(error.to_string(), "expected temperature to be finite and positive, found -1");
/// # Ok::<(), simclr_loss::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Temperature(f64);

impl Temperature {
    /// Checks a temperature.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] unless `value` is finite and positive.
    pub fn new(value: f64) -> Result<Self, OutOfRange> {
        let legal = value.is_finite() && value > 0.0;
        OutOfRange::unless(legal, "temperature", "finite and positive", value)?;
        Ok(Self(value))
    }

    /// The temperature that a loss's constructor was given, as a number or checked already.
    pub(crate) fn given(
        temperature: impl TryInto<Self, Error: Into<OutOfRange>>,
    ) -> Result<Self, OutOfRange> {
        temperature.try_into().map_err(Into::into)
    }

    /// The value, finite and positive.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Temperature {
    type Error = OutOfRange;

    fn try_from(value: f64) -> Result<Self, OutOfRange> {
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
                format!("expected temperature to be finite and positive, found {bad}")
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
