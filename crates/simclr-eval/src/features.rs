//! Feature vectors of images, on the host.

use burn::tensor::{Device, Tensor, TensorData};

/// One feature vector per image, row by row: `[len, size]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    values: Vec<f32>,
    size: usize,
}

impl Features {
    /// Features from their values, row after row.
    ///
    /// # Panics
    ///
    /// If `size` is zero or does not divide the number of values.
    #[must_use]
    pub fn new(values: Vec<f32>, size: usize) -> Self {
        assert!(
            size > 0 && values.len().is_multiple_of(size),
            "expected rows of {size} features, found {} values",
            values.len()
        );
        Self { values, size }
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.size
    }

    /// Whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Length of one feature vector.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }

    /// The feature vectors in order.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.size)
    }

    /// Rows `start..end` as unit vectors, `[end - start, size]` on `device`; a row of zeros stays zero.
    pub(crate) fn unit_rows(&self, start: usize, end: usize, device: &Device) -> Tensor<2> {
        let mut unit = self.values[start * self.size..end * self.size].to_vec();
        for row in unit.chunks_exact_mut(self.size) {
            let norm = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
            if norm > 0.0 {
                for x in row.iter_mut() {
                    *x = (f64::from(*x) / norm) as f32;
                }
            }
        }
        Tensor::from_data(TensorData::new(unit, [end - start, self.size]), device)
    }
}
