//! The linear classifier that the labels teach.

use std::sync::Arc;

use simclr_embed::{Features, LabelledFeatures};
use simclr_eval::{
    LinearLayer, LogisticRegression, LogisticRegressionConfig, Predictions, draw_equally,
};

use crate::error::ExploreError;

/// Labels that a classifier learns from at a time. Of more, as many of each class as of any other are drawn.
const MOST_LABELS: usize = 2000;
/// Steps of the solver: each label asks for a fit that nobody waits for.
const MOST_STEPS: usize = 100;
const TOLERANCE: f64 = 1e-3;
/// The inverse strength of the penalty, on vectors whose mean square length is 1: chosen on clothing photos with 50 to 200 labels.
const C: f64 = 10.0;

/// Learns a linear layer with softmax from a few rows of unit vectors.
///
/// Vectors of a self-supervised encoder share much of their direction. So the mean of **all** images is taken off, and what is left is scaled to a mean square
/// length of 1: both are known without a label, and few labels would tell them badly.
#[derive(Debug, Clone)]
pub(super) struct Learner {
    features: Arc<Features>,
    mean: Vec<f64>,
    scale: f64,
    regression: LogisticRegression,
}

/// What a learner has learnt, of vectors without their mean.
#[derive(Debug, Clone)]
pub(super) struct Learnt(LinearLayer);

impl Learner {
    /// A learner on unit vectors.
    pub(super) fn new(features: Arc<Features>) -> Self {
        let mut mean = vec![0.0; features.size()];
        for row in features.rows() {
            mean.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        for sum in &mut mean {
            *sum /= features.len().max(1) as f64;
        }
        let squares: f64 = features
            .rows()
            .map(|row| row.iter().zip(&mean).map(|(&x, m)| (f64::from(x) - m).powi(2)).sum::<f64>())
            .sum();
        let variance = squares / features.len().max(1) as f64;
        // Vectors that are all the same differ by rounding.
        let scale = if variance > 1e-12 { 1.0 / variance.sqrt() } else { 1.0 };
        let config = LogisticRegressionConfig {
            c: C,
            standardize: false,
            tolerance: TOLERANCE,
            max_iterations: MOST_STEPS,
        };
        let regression = LogisticRegression::new(config).expect("the constants are legal");
        Self { features, mean, scale, regression }
    }

    /// Learns from `labels`, rows and their classes, with a start from what was learnt before. `None` for fewer than two classes. Of the same labels it learns the
    /// same, up to the solver's tolerance.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Eval`] for features that are not finite.
    pub(super) fn learn(
        &self,
        labels: &[(usize, usize)],
        before: Option<&Learnt>,
    ) -> Result<Option<Learnt>, ExploreError> {
        let several = labels.iter().any(|label| label.1 != labels[0].1);
        if !several {
            return Ok(None);
        }
        let classes: Vec<usize> = labels.iter().map(|label| label.1).collect();
        let drawn = draw_equally(&classes, MOST_LABELS, 0);
        let rows: Vec<usize> = drawn.iter().map(|&at| labels[at].0).collect();
        let classes = drawn.iter().map(|&at| classes[at]).collect();
        let train = LabelledFeatures::new(self.prepared(&rows), classes)?;
        let fit = match before {
            Some(Learnt(layer)) => self.regression.fit_from(&train, layer)?,
            None => self.regression.fit(&train)?,
        };
        Ok(Some(Learnt(fit.layer)))
    }

    /// The probability of each class for unit vectors.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Eval`] for features that are not finite.
    pub(super) fn predict(
        &self,
        learnt: &Learnt,
        vectors: &Features,
    ) -> Result<Predictions, ExploreError> {
        Ok(self.on_unit_vectors(&learnt.0).predict(vectors)?)
    }

    /// The likeliest class of some rows.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Eval`] for features that are not finite.
    pub(super) fn top1(&self, learnt: &Learnt, rows: &[usize]) -> Result<Vec<usize>, ExploreError> {
        Ok(learnt.0.predict(&self.prepared(rows))?.top1())
    }

    /// Some rows, without the mean of all.
    fn prepared(&self, rows: &[usize]) -> Features {
        let without = |row: usize| {
            let pairs = self.features.row(row).iter().zip(&self.mean);
            pairs.map(|(&x, mean)| ((f64::from(x) - mean) * self.scale) as f32)
        };
        let values = rows.iter().flat_map(|&row| without(row)).collect();
        Features::new(values, self.features.size())
    }

    /// The same layer, of unit vectors as they are: w . (x - mean) scale + b is (scale w) . x + (b - (scale w) . mean).
    fn on_unit_vectors(&self, layer: &LinearLayer) -> LinearLayer {
        let scaled: Vec<f64> = layer.weights().iter().map(|&w| f64::from(w) * self.scale).collect();
        let shift = |weights: &[f64]| -> f64 {
            weights.iter().zip(&self.mean).map(|(weight, mean)| weight * mean).sum()
        };
        let biases = layer
            .biases()
            .iter()
            .zip(scaled.chunks_exact(layer.feature_size()))
            .map(|(&bias, weights)| (f64::from(bias) - shift(weights)) as f32)
            .collect();
        LinearLayer::new(scaled.iter().map(|&w| w as f32).collect(), biases)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors around two directions that share most of their length.
    fn learner() -> Learner {
        let vector = |i: usize| {
            let (side, wobble) = ((i % 2) as f32 - 0.5, (i * 7 % 11) as f32 / 40.0);
            [5.0, side, wobble]
        };
        Learner::new(Arc::new(Features::new((0..60).flat_map(vector).collect(), 3).unit()))
    }

    fn labels(rows: std::ops::Range<usize>) -> Vec<(usize, usize)> {
        rows.map(|row| (row, row % 2)).collect()
    }

    #[test]
    fn two_labels_tell_two_groups_apart() {
        let learner = learner();
        let learnt = learner.learn(&labels(0..2), None).unwrap().unwrap();
        let predictions = learner.predict(&learnt, &learner.features).unwrap();
        assert!(predictions.top1().iter().enumerate().all(|(row, &class)| class == row % 2));
        assert_eq!(learner.top1(&learnt, &[5, 8]).unwrap(), [1, 0]);
    }

    #[test]
    fn a_layer_for_unit_vectors_says_what_it_said_of_prepared_ones() {
        let learner = learner();
        let learnt = learner.learn(&labels(0..9), None).unwrap().unwrap();
        let rows: Vec<usize> = (0..60).collect();
        let prepared = learnt.0.predict(&learner.prepared(&rows)).unwrap();
        let unit = learner.predict(&learnt, &learner.features).unwrap();
        for (a, b) in prepared.rows().flatten().zip(unit.rows().flatten()) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }

    #[test]
    fn the_way_to_the_labels_does_not_count() {
        let learner = learner();
        let first = learner.learn(&labels(3..7), None).unwrap().unwrap();
        let all = labels(0..20);
        let [cold, warm] =
            [None, Some(&first)].map(|before| learner.learn(&all, before).unwrap().unwrap());
        let [cold, warm] =
            [cold, warm].map(|learnt| learner.predict(&learnt, &learner.features).unwrap());
        for (a, b) in cold.rows().flatten().zip(warm.rows().flatten()) {
            assert!((a - b).abs() < 0.02, "{a} {b}");
        }
    }

    #[test]
    fn one_class_teaches_nothing() {
        let learner = learner();
        assert!(learner.learn(&[], None).unwrap().is_none());
        assert!(learner.learn(&[(0, 3), (1, 3)], None).unwrap().is_none());
    }
}
