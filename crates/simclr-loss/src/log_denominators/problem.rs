//! What is asked of the log-denominators.

use crate::exclusions::Exclusions;
use crate::log_denominators::denominators::Denominators;
use crate::temperature::Temperature;

/// Which sum of log-denominators is wanted.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) denominators: Denominators,
    /// The weight of each row's logarithm. Zero for a row whose denominator is empty.
    pub(crate) weights: Vec<f64>,
}

impl Problem {
    /// # Panics
    ///
    /// If there isn't one weight a row.
    pub(crate) fn new(temperature: Temperature, weights: Vec<f64>, exclusions: Exclusions) -> Self {
        assert_eq!(weights.len(), exclusions.rows(), "expected one weight for each row");
        Self { denominators: Denominators::new(temperature, exclusions), weights }
    }
}
