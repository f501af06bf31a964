//! What is asked of the log-denominators.

use crate::exclusions::Exclusions;
use crate::temperature::Temperature;

/// Up to this scale 1/t the exponents are shifted by the constant 1/t, which no cosine exceeds: the
/// smallest term, exp(-2/t), is then still an ordinary f32. Beyond it, each row's maximum is looked up
/// first: on the CPU in a sweep of its own. (On GPUs, where a row lies in memory as a whole, it always is.)
const LARGEST_SCALE_OF_CONSTANT_SHIFT: f64 = 40.0;

/// Which sum of log-denominators is wanted.
#[derive(Debug)]
pub(crate) struct Problem {
    /// 1/t.
    pub(crate) scale: f64,
    /// The weight of each row's logarithm. Zero for a row whose denominator is empty.
    pub(crate) weights: Vec<f64>,
    pub(crate) exclusions: Exclusions,
}

impl Problem {
    /// # Panics
    ///
    /// If there isn't one weight a row.
    pub(crate) fn new(temperature: Temperature, weights: Vec<f64>, exclusions: Exclusions) -> Self {
        assert_eq!(weights.len(), exclusions.rows(), "expected one weight for each row");
        Self { scale: 1.0 / temperature.get(), weights, exclusions }
    }

    pub(super) fn constant_shift_is_safe(&self) -> bool {
        self.scale <= LARGEST_SCALE_OF_CONSTANT_SHIFT
    }
}
