//! A linear layer with softmax, on the host.

use nalgebra::{DMatrix, DMatrixView};
use rayon::prelude::*;
use simclr_embed::{EmbedError, Features};

use crate::error::EvalError;
use crate::figures::Predictions;
use crate::softmax::softmax;

/// Rows that are widened to f64 at a time.
const BLOCK: usize = 256;

/// The bias of a class without examples, whose probability is zero: a finite number, since weight files hold no
/// infinities.
pub(crate) const NEVER: f32 = -1e30;

/// What a linear probe learns: a score for each class from each feature vector.
///
/// Standardisation is folded into the weights, so that the layer takes features as the encoder gives them.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearLayer {
    /// Class after class, `[classes, features]`.
    weights: Vec<f32>,
    /// One per class; [`NEVER`] for a class without examples.
    biases: Vec<f32>,
}

impl LinearLayer {
    /// A layer from its weights, class after class, and a bias for each class. A bias of minus infinity, for a class
    /// that is never likely, is kept as -1e30.
    ///
    /// # Panics
    ///
    /// If there is no class, or the number of weights isn't a positive multiple of the number of classes.
    #[must_use]
    pub fn new(weights: Vec<f32>, mut biases: Vec<f32>) -> Self {
        assert!(
            !biases.is_empty() && !weights.is_empty() && weights.len().is_multiple_of(biases.len()),
            "expected weights for {} classes, found {} values",
            biases.len(),
            weights.len()
        );
        for bias in biases.iter_mut().filter(|bias| **bias == f32::NEG_INFINITY) {
            *bias = NEVER;
        }
        Self { weights, biases }
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.biases.len()
    }

    /// Length of the feature vectors it takes.
    #[must_use]
    pub fn feature_size(&self) -> usize {
        self.weights.len() / self.classes()
    }

    /// The weights, class after class: `[classes, features]`.
    #[must_use]
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The bias of each class.
    #[must_use]
    pub fn biases(&self) -> &[f32] {
        &self.biases
    }

    /// The same layer for at least `classes` classes: new ones are never likely.
    #[must_use]
    pub fn with_classes(mut self, classes: usize) -> Self {
        let (size, known) = (self.feature_size(), self.classes());
        self.weights.resize(known.max(classes) * size, 0.0);
        self.biases.resize(known.max(classes), NEVER);
        self
    }

    /// The probability of each class for each feature vector: softmax(W h + b), computed in f64.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] for features of another length, or that are NaN or infinite.
    pub fn predict(&self, test: &Features) -> Result<Predictions, EvalError> {
        let (size, classes) = (self.feature_size(), self.classes());
        if test.size() != size {
            return Err(EmbedError::FeatureSize { expected: size, found: test.size() }.into());
        }
        if !test.is_empty() {
            test.check("test set")?;
        }
        // Copied column by column: nalgebra 0.34.2 writes out of bounds if the left factor of a small
        // product is a view with strides between rows.
        let weights = DMatrix::from_fn(classes, size, |c, f| f64::from(self.weights[c * size + f]));
        let blocks: Vec<Vec<f32>> = test
            .values()
            .par_chunks(BLOCK * size)
            .map(|rows| {
                let rows: Vec<f64> = rows.iter().map(|&x| f64::from(x)).collect();
                let inputs = DMatrixView::from_slice(&rows, size, rows.len() / size);
                let bias = |class: usize, _| f64::from(self.biases[class]);
                let mut logits = DMatrix::from_fn(classes, inputs.ncols(), bias);
                logits.gemm(1.0, &weights, &inputs, 1.0);
                for column in logits.as_mut_slice().chunks_exact_mut(classes) {
                    softmax(column);
                }
                logits.iter().map(|&p| p as f32).collect()
            })
            .collect();
        Ok(Predictions::new(blocks.concat(), classes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_the_softmax_of_w_h_plus_b() {
        let layer = LinearLayer::new(vec![1.0, 0.0, 0.0, 2.0, -1.0, -1.0], vec![0.0, 0.5, 0.0]);
        let predictions = layer.predict(&Features::new(vec![1.0, 0.25], 2)).unwrap();
        let exponentials = [1.0_f32, 1.0, -1.25].map(f32::exp);
        let sum: f32 = exponentials.iter().sum();
        let found = predictions.rows().next().unwrap();
        for (found, e) in found.iter().zip(exponentials) {
            assert!((found - e / sum).abs() < 1e-6, "{found}, not {}", e / sum);
        }
    }

    #[test]
    fn rows_of_every_block_get_their_own_scores() {
        let layer = LinearLayer::new(vec![1.0, -1.0], vec![0.0, 0.0]);
        let values: Vec<f32> = (0..700).map(|i| if i % 3 == 0 { 1.0 } else { -1.0 }).collect();
        let predicted = layer.predict(&Features::new(values, 1)).unwrap().top1();
        assert!(predicted.iter().enumerate().all(|(i, &class)| class == usize::from(i % 3 != 0)));
    }

    #[test]
    fn features_of_another_length_are_refused() {
        let layer = LinearLayer::new(vec![1.0, -1.0], vec![0.0, 0.0]);
        let error = layer.predict(&Features::new(vec![1.0, 2.0], 2)).unwrap_err();
        assert_eq!(error.to_string(), "expected feature vectors of length 1, found 2");
    }
}
