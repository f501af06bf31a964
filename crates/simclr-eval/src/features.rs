//! Feature vectors of images, on the host.

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use crate::error::EvalError;
use crate::layer::Layer;

/// One feature vector per image, row by row: `[len, size]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    values: Vec<f32>,
    size: usize,
    layer: Layer,
}

impl Features {
    /// Features from their values, row after row, of [`Layer::Given`].
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
        Self { values, size, layer: Layer::Given }
    }

    /// The same features, known to be of `layer`.
    #[must_use]
    pub fn of_layer(self, layer: Layer) -> Self {
        Self { layer, ..self }
    }

    /// What they are.
    #[must_use]
    pub fn layer(&self) -> Layer {
        self.layer
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

    /// The feature vector of image `index`.
    ///
    /// # Panics
    ///
    /// If there are not more than `index` images.
    #[must_use]
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.size..][..self.size]
    }

    /// All values, row after row.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// That there are images, and that all their features are finite.
    pub(crate) fn check(&self, set: &'static str) -> Result<(), EvalError> {
        if self.is_empty() {
            return Err(EvalError::NoImages { set });
        }
        match self.values.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => {
                Err(EvalError::NotFinite { set, row: at / self.size, found: self.values[at] })
            }
        }
    }

    /// Rows `start..end` as unit vectors, `[end - start, size]` on `device`; a row of zeros stays zero.
    pub(crate) fn unit_rows(&self, start: usize, end: usize, device: &Device) -> Tensor<2> {
        let mut unit = self.values[start * self.size..end * self.size].to_vec();
        unit.par_chunks_exact_mut(self.size).for_each(|row| {
            let norm = row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
            if norm > 0.0 {
                for x in row.iter_mut() {
                    *x = (f64::from(*x) / norm) as f32;
                }
            }
        });
        Tensor::from_data(TensorData::new(unit, [end - start, self.size]), device)
    }
}
