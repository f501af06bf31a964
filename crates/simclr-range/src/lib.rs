#![doc = include_str!("../README.md")]

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Display;

use thiserror::Error;

/// A value out of its range.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected {field} to be {expected}, found {found}")]
#[non_exhaustive]
pub struct OutOfRange {
    /// Path of the field from the outermost config, for example `crop.area`.
    pub field: Cow<'static, str>,
    /// The legal range, so that "expected {field} to be {expected}" reads well: `at least 1`, `in 0..=1`.
    pub expected: Cow<'static, str>,
    /// The value that was given.
    pub found: String,
}

impl OutOfRange {
    /// An error about `field`.
    pub fn new(
        field: impl Into<Cow<'static, str>>,
        expected: impl Into<Cow<'static, str>>,
        found: impl Display,
    ) -> Self {
        Self { field: field.into(), expected: expected.into(), found: found.to_string() }
    }

    /// The error about `field` unless its value is legal.
    ///
    /// # Errors
    ///
    /// The error itself, if `legal` is false.
    pub fn unless(
        legal: bool,
        field: impl Into<Cow<'static, str>>,
        expected: impl Into<Cow<'static, str>>,
        found: impl Display,
    ) -> Result<(), Self> {
        if legal { Ok(()) } else { Err(Self::new(field, expected, found)) }
    }

    /// The same error, seen from a config that holds the field's owner as `parent`: `area` becomes `crop.area`.
    #[must_use]
    pub fn within(self, parent: &str) -> Self {
        Self { field: format!("{parent}.{}", self.field).into(), ..self }
    }
}

/// For constructors that take a checked value or one to be checked (`impl TryInto`).
impl From<Infallible> for OutOfRange {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_named_by_its_whole_path() {
        let error = OutOfRange::unless(false, "area", "in 0..=1", 2.0).unwrap_err();
        let error = error.within("crop").within("augmentation");
        assert_eq!(error.field, "augmentation.crop.area");
        assert_eq!(error.to_string(), "expected augmentation.crop.area to be in 0..=1, found 2");
        assert_eq!(OutOfRange::unless(true, "area", "in 0..=1", 0.5), Ok(()));
    }
}
