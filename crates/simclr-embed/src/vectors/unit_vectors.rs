//! Feature vectors at length 1.

use nalgebra::DMatrix;

use super::features::Features;

/// Feature vectors at length 1, in f64: their products are cosines. A vector of zeros stays as it is.
///
/// ```
/// use simclr_embed::{Features, UnitVectors};
///
/// let vectors = UnitVectors::new(&Features::new(vec![3.0, 4.0, 0.0, 2.0], 2));
/// assert!((vectors.cosine(0, 1) - 0.8).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct UnitVectors {
    /// `[len, size]`.
    pub(crate) rows: DMatrix<f64>,
}

impl UnitVectors {
    /// The rows of `features` at length 1.
    #[must_use]
    pub fn new(features: &Features) -> Self {
        let values = features.rows().flat_map(unit);
        Self { rows: DMatrix::from_row_iterator(features.len(), features.size(), values) }
    }

    /// Number of vectors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.nrows()
    }

    /// Whether there are no vectors.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cosine of vectors `a` and `b`, in -1..=1 but for rounding; 0 for a vector of zeros.
    ///
    /// # Panics
    ///
    /// If there is no such vector.
    #[must_use]
    pub fn cosine(&self, a: usize, b: usize) -> f64 {
        self.rows.row(a).dot(&self.rows.row(b))
    }
}

/// `row` at length 1; a row of zeros stays as it is.
pub(crate) fn unit(row: &[f32]) -> impl Iterator<Item = f64> {
    let norm = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    let norm = if norm > 0.0 { norm } else { 1.0 };
    row.iter().map(move |&x| f64::from(x) / norm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_compared_by_direction_and_zeros_stay() {
        let features = Features::new(vec![3.0, 4.0, 0.0, 0.0, 0.0, 2.0], 2);
        let vectors = UnitVectors::new(&features);
        assert_eq!(vectors.rows, DMatrix::from_row_slice(3, 2, &[0.6, 0.8, 0.0, 0.0, 0.0, 1.0]));
        assert_eq!(vectors.cosine(0, 1).to_bits(), 0);
    }
}
