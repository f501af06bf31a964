//! The denominators of all rows.

use crate::exclusions::Exclusions;
use crate::temperature::Temperature;

/// Up to this scale 1/t the exponents are shifted by the constant 1/t, which no cosine exceeds: the
/// smallest term, exp(-2/t), is then still an ordinary f32. Beyond it, each row's maximum is looked up
/// first: on the CPU in a sweep of its own. (On GPUs, where a row lies in memory as a whole, it always is.)
const LARGEST_SCALE_OF_CONSTANT_SHIFT: f64 = 40.0;

/// For each row i, `D_i = sum over the k that stay of exp(z_i . z_k / t)`.
#[derive(Debug)]
pub(crate) struct Denominators {
    /// 1/t.
    pub(crate) scale: f64,
    pub(crate) exclusions: Exclusions,
}

impl Denominators {
    pub(crate) fn new(temperature: Temperature, exclusions: Exclusions) -> Self {
        Self { scale: 1.0 / temperature.get(), exclusions }
    }

    pub(super) fn constant_shift_is_safe(&self) -> bool {
        self.scale <= LARGEST_SCALE_OF_CONSTANT_SHIFT
    }
}
