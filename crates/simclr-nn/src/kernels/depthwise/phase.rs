//! The outputs that meet the same positions of the kernel.

use super::weights::Weights;

/// Outputs of a band, and what they are sums of.
///
/// Output `(y, x)` of the phase is pixel `place + (y, x) * step` of the band. Its sum runs over `rows` and over
/// `kernel` columns of the window: the window's row `y * stride + offset` for each row's offset, and the columns from
/// `x * stride + column` on.
pub(super) struct Phase {
    pub(super) place: [usize; 2],
    pub(super) step: [usize; 2],
    pub(super) stride: [usize; 2],
    /// The offset of each row that is met.
    pub(super) rows: Vec<usize>,
    /// The offset of the first column that is met.
    pub(super) column: usize,
    /// Columns that are met.
    pub(super) kernel: usize,
    /// Weights in the order of rows and columns that are met.
    pub(super) weights: Weights,
}

impl Phase {
    /// Rows and columns of the phase in a band of `rows` rows of `columns` pixels.
    pub(super) fn outputs(&self, rows: usize, columns: usize) -> [usize; 2] {
        let [down, across] = self.place;
        [
            rows.saturating_sub(down).div_ceil(self.step[0]),
            columns.saturating_sub(across).div_ceil(self.step[1]),
        ]
    }
}
