//! How often the monitor is asked.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use simclr_range::OutOfRange;

const NEVER: &str = "never";
const EXPECTED: &str = "a number of epochs of at least 1, or `never`";

/// How often a run asks its monitor for figures: a number of epochs, or `"never"` in a config.
///
/// ```
/// use simclr_train::MonitorEvery;
///
/// let every: MonitorEvery = "5".parse()?;
/// // Before the first of 12 epochs, after each fifth, and after the last.
/// let due: Vec<usize> = (0..=12).filter(|&epoch| every.is_due(epoch, 12)).collect();
/// assert_eq!(due, [0, 5, 10, 12]);
/// assert!(!"never".parse::<MonitorEvery>()?.is_due(0, 12));
/// # Ok::<(), simclr_train::OutOfRange>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonitorEvery {
    /// Before the first epoch, after each whose number is a multiple of this one, and after the last.
    Epochs(NonZeroUsize),
    /// Never, not even for the run's last figures.
    Never,
}

impl MonitorEvery {
    /// Whether the monitor is asked after `epoch` out of `epochs`; epoch 0 is before training.
    #[must_use]
    pub fn is_due(self, epoch: usize, epochs: usize) -> bool {
        match self {
            Self::Epochs(every) => epoch.is_multiple_of(every.get()) || epoch >= epochs,
            Self::Never => false,
        }
    }
}

impl Default for MonitorEvery {
    /// Each epoch.
    fn default() -> Self {
        Self::Epochs(NonZeroUsize::MIN)
    }
}

/// As a config holds it: `5`, or `never`.
impl fmt::Display for MonitorEvery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epochs(every) => every.fmt(f),
            Self::Never => f.write_str(NEVER),
        }
    }
}

impl FromStr for MonitorEvery {
    type Err = OutOfRange;

    fn from_str(text: &str) -> Result<Self, OutOfRange> {
        if text == NEVER {
            return Ok(Self::Never);
        }
        let every = text.parse().map_err(|_| OutOfRange::new("monitor_every", EXPECTED, text))?;
        Ok(Self::Epochs(every))
    }
}

impl Serialize for MonitorEvery {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Epochs(every) => every.serialize(serializer),
            Self::Never => serializer.serialize_str(NEVER),
        }
    }
}

impl<'de> Deserialize<'de> for MonitorEvery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Expected;

        impl Visitor<'_> for Expected {
            type Value = MonitorEvery;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(EXPECTED)
            }

            fn visit_u64<E: Error>(self, every: u64) -> Result<MonitorEvery, E> {
                let number = usize::try_from(every).ok().and_then(NonZeroUsize::new);
                let refused = || E::invalid_value(Unexpected::Unsigned(every), &self);
                number.map(MonitorEvery::Epochs).ok_or_else(refused)
            }

            fn visit_i64<E: Error>(self, every: i64) -> Result<MonitorEvery, E> {
                match u64::try_from(every) {
                    Ok(every) => self.visit_u64(every),
                    Err(_) => Err(E::invalid_value(Unexpected::Signed(every), &self)),
                }
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<MonitorEvery, E> {
                match text {
                    NEVER => Ok(MonitorEvery::Never),
                    _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                }
            }
        }

        deserializer.deserialize_any(Expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Table {
        every: MonitorEvery,
    }

    fn read(value: &str) -> Result<MonitorEvery, String> {
        let read = toml::from_str::<Table>(&format!("every = {value}\n"));
        read.map(|table| table.every).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn a_number_of_epochs_and_never_survive_a_config() {
        for (text, every) in [
            ("3", MonitorEvery::Epochs(NonZeroUsize::new(3).unwrap())),
            ("\"never\"", MonitorEvery::Never),
        ] {
            assert_eq!(read(text).unwrap(), every);
            let written = toml::to_string(&Table { every }).unwrap();
            assert_eq!(written.trim(), format!("every = {text}"));
            assert_eq!(text.trim_matches('"').parse::<MonitorEvery>().unwrap(), every);
            assert_eq!(every.to_string(), text.trim_matches('"'));
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_was_expected() {
        for bad in ["0", "-1", "\"often\"", "1.5", "true"] {
            let message = read(bad).unwrap_err();
            assert!(message.ends_with(&format!("expected {EXPECTED}")), "{bad}: {message}");
        }
        for bad in ["0", "-1", "often", "", "1.5"] {
            let message = bad.parse::<MonitorEvery>().unwrap_err().to_string();
            assert_eq!(message, format!("expected monitor_every to be {EXPECTED}, found {bad}"));
        }
    }
}
