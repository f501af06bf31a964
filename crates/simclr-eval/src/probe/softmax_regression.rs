//! The cross-entropy of a linear layer and its gradient: what both linear probes minimise.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use rayon::prelude::*;
use simclr_embed::{EmbedError, Features, LabelledFeatures};

use super::standardization::Standardization;
use crate::error::EvalError;
use crate::linear_layer::{LinearLayer, NEVER};
use crate::softmax::softmax;

/// Rows that are widened to f64 at a time.
const BLOCK: usize = 256;

/// Parts that are summed up each by itself, so that the sum doesn't depend on the number of threads.
const PARTS: usize = 16;

/// The fewest rows in a part.
const SMALLEST_PART: usize = 64;

/// Rows whose second moments bound the curvature, and the iterations that find their largest eigenvalue.
const MOMENT_ROWS: usize = 2048;
const POWER_ITERATIONS: usize = 20;

/// A linear layer with softmax on labelled features.
///
/// Its parameters are one vector: a weight for each feature and class, feature by feature, then a bias
/// for each class.
pub(super) struct SoftmaxRegression<'a> {
    features: &'a Features,
    standardization: Standardization,
    /// Position in `present` of each row's class.
    targets: Vec<usize>,
    /// The classes that have examples, ascending.
    present: Vec<usize>,
}

impl<'a> SoftmaxRegression<'a> {
    /// A regression on the training set, whose features are standardised first or not.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] without images, or for features that are NaN or infinite; [`EvalError::OneClass`] if there
    /// is nothing to tell apart.
    pub(super) fn new(train: &'a LabelledFeatures, standardize: bool) -> Result<Self, EvalError> {
        let features = train.features();
        features.check("training set")?;
        EvalError::check_classes(train.labels())?;
        let mut present = train.labels().to_vec();
        present.sort_unstable();
        present.dedup();
        let standardization = Standardization::for_probe(features, standardize);
        let position = |label| present.binary_search(label).expect("every label is present");
        let targets = train.labels().iter().map(position).collect();
        Ok(Self { features, standardization, targets, present })
    }

    /// Number of training images.
    pub(super) fn rows(&self) -> usize {
        self.targets.len()
    }

    /// Number of classes with examples.
    pub(super) fn classes(&self) -> usize {
        self.present.len()
    }

    /// Number of weights, which come before the biases.
    pub(super) fn weights(&self) -> usize {
        self.classes() * self.features.size()
    }

    /// Number of weights and biases.
    pub(super) fn parameters(&self) -> usize {
        self.weights() + self.classes()
    }

    /// The position of each of these rows' classes among those that have examples.
    pub(super) fn targets(&self, rows: &[usize]) -> Vec<f32> {
        rows.iter().map(|&row| self.targets[row] as f32).collect()
    }

    /// The standardised features of `rows`, row after row.
    pub(super) fn standardized(&self, rows: &[usize]) -> Vec<f32> {
        let size = self.features.size();
        let mut values = vec![0.0; rows.len() * size];
        values.par_chunks_exact_mut(size).zip(rows).for_each_init(
            || vec![0.0; size],
            |wide, (out, &row)| {
                self.standardization.apply(self.features.row(row), wide);
                out.iter_mut().zip(&*wide).for_each(|(out, x)| *out = *x as f32);
            },
        );
        values
    }

    /// A bound of the curvature of the mean cross-entropy: half the largest eigenvalue of the second moments of the
    /// standardised features and the bias' 1, by power iteration on evenly chosen rows (Boehning 1992 has the bound).
    pub(super) fn curvature(&self) -> f64 {
        let (count, size) = (self.rows().min(MOMENT_ROWS), self.features.size());
        let rows: Vec<usize> = (0..count).map(|place| place * self.rows() / count).collect();
        let values = self.standardized(&rows);
        let mut direction = vec![1.0; size + 1];
        let mut eigenvalue = 1.0;
        for _ in 0..POWER_ITERATIONS {
            let length = direction.iter().map(|d| d * d).sum::<f64>().sqrt();
            for d in &mut direction {
                *d /= length;
            }
            let mut image = vec![0.0; size + 1];
            for row in values.chunks_exact(size) {
                let products = row.iter().zip(&direction).map(|(&x, d)| f64::from(x) * d);
                let product = (products.sum::<f64>() + direction[size]) / count as f64;
                image.iter_mut().zip(row).for_each(|(sum, &x)| *sum += product * f64::from(x));
                image[size] += product;
            }
            eigenvalue = image.iter().map(|d| d * d).sum::<f64>().sqrt();
            direction = image;
        }
        0.5 * eigenvalue
    }

    /// The sum of the cross-entropies of `rows`, and its gradient.
    pub(super) fn loss(&self, parameters: &[f64], rows: &[usize]) -> (f64, Vec<f64>) {
        let part = rows.len().div_ceil(PARTS).max(SMALLEST_PART);
        let parts: Vec<_> =
            rows.par_chunks(part).map(|rows| self.loss_of_part(parameters, rows)).collect();
        let mut sum = (0.0, vec![0.0; self.parameters()]);
        for (loss, gradient) in parts {
            sum.0 += loss;
            sum.1.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g);
        }
        sum
    }

    fn loss_of_part(&self, parameters: &[f64], rows: &[usize]) -> (f64, Vec<f64>) {
        let (size, classes) = (self.features.size(), self.classes());
        let (weights, bias) = parameters.split_at(self.weights());
        let weights = DMatrixView::from_slice(weights, classes, size);
        let mut loss = 0.0;
        let mut gradient = vec![0.0; self.parameters()];
        let mut buffer = vec![0.0; BLOCK.min(rows.len()) * size];
        for block in rows.chunks(BLOCK) {
            let x = &mut buffer[..block.len() * size];
            for (&row, out) in block.iter().zip(x.chunks_exact_mut(size)) {
                self.standardization.apply(self.features.row(row), out);
            }
            let inputs = DMatrixView::from_slice(x, size, block.len());
            let mut residuals = DMatrix::from_fn(classes, block.len(), |class, _| bias[class]);
            residuals.gemm(1.0, &weights, &inputs, 1.0); // logits, [classes, block]
            let columns = residuals.as_mut_slice().chunks_exact_mut(classes);
            for (column, &row) in columns.zip(block) {
                loss += cross_entropy(column, self.targets[row]);
            }

            let (by_weight, by_bias) = gradient.split_at_mut(self.weights());
            let transposed = DMatrixView::from_slice_with_strides(x, block.len(), size, size, 1);
            DMatrixViewMut::from_slice(by_weight, classes, size).gemm(
                1.0,
                &residuals,
                &transposed,
                1.0,
            );
            for column in residuals.as_slice().chunks_exact(classes) {
                by_bias.iter_mut().zip(column).for_each(|(sum, r)| *sum += r);
            }
        }
        (loss, gradient)
    }

    /// The layer that these parameters stand for, on features that are not standardised.
    ///
    /// w . (x - mean) scale + b is (w scale) . x + (b - (w scale) . mean). A class without examples has
    /// a prior probability of zero: the bias [`NEVER`].
    pub(super) fn layer(&self, parameters: &[f64]) -> LinearLayer {
        let (size, present) = (self.features.size(), self.classes());
        let classes = self.present.last().map_or(0, |last| last + 1);
        let mut weights = vec![0.0; classes * size];
        let mut biases = vec![NEVER; classes];
        let (by_feature, bias) = parameters.split_at(self.weights());
        for (position, &class) in self.present.iter().enumerate() {
            let mut shift = 0.0;
            for (feature, weight) in weights[class * size..][..size].iter_mut().enumerate() {
                let folded =
                    by_feature[feature * present + position] * self.standardization.scale[feature];
                shift += folded * self.standardization.mean[feature];
                *weight = folded as f32;
            }
            biases[class] = (bias[position] - shift) as f32;
        }
        LinearLayer::new(weights, biases)
    }

    /// The parameters of a layer on features that are not standardised: the inverse of [`layer`](Self::layer). A class that the layer doesn't know, or that had no
    /// examples there, gets zeros.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] for a layer of other features.
    pub(super) fn parameters_of(&self, layer: &LinearLayer) -> Result<Vec<f64>, EvalError> {
        let (size, present) = (self.features.size(), self.classes());
        let (expected, found) = (size, layer.feature_size());
        if expected != found {
            return Err(EmbedError::FeatureSize { expected, found }.into());
        }
        let mut parameters = vec![0.0; self.parameters()];
        let (by_feature, bias) = parameters.split_at_mut(self.weights());
        for (position, &class) in self.present.iter().enumerate() {
            let Some(&known) = layer.biases().get(class).filter(|&&bias| bias > NEVER) else {
                continue;
            };
            bias[position] = f64::from(known);
            for (feature, &weight) in layer.weights()[class * size..][..size].iter().enumerate() {
                let weight = f64::from(weight);
                by_feature[feature * present + position] =
                    weight / self.standardization.scale[feature];
                bias[position] += weight * self.standardization.mean[feature];
            }
        }
        Ok(parameters)
    }
}

/// The cross-entropy of the softmax of `logits`, which become softmax minus one-hot: its gradient.
fn cross_entropy(logits: &mut [f64], target: usize) -> f64 {
    let of_target = logits[target];
    let (largest, sum) = softmax(logits);
    logits[target] -= 1.0;
    sum.ln() - (of_target - largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labelled(values: Vec<f32>, size: usize, labels: Vec<usize>) -> LabelledFeatures {
        LabelledFeatures::new(Features::new(values, size), labels).unwrap()
    }

    proptest! {
        #[test]
        fn the_gradient_is_that_of_finite_differences(
            rows in prop::collection::vec((prop::array::uniform3(-2.0_f32..2.0), 0_usize..4), 2..9),
            parameters in prop::collection::vec(-1.5_f64..1.5, 16),
        ) {
            let (points, labels): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
            prop_assume!(labels.iter().any(|&label| label != labels[0]));
            let train = labelled(points.concat(), 3, labels);
            let problem = SoftmaxRegression::new(&train, true).unwrap();
            let parameters = &parameters[..problem.parameters()];
            let rows: Vec<usize> = (0..train.len()).collect();
            let (_, gradient) = problem.loss(parameters, &rows);
            for (i, found) in gradient.into_iter().enumerate() {
                let at = |change: f64| {
                    let mut moved = parameters.to_vec();
                    moved[i] += change;
                    problem.loss(&moved, &rows).0
                };
                let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
                prop_assert!((found - expected).abs() < 1e-6, "{i}: {found}, not {expected}");
            }
        }
    }

    #[test]
    fn the_curvature_is_that_of_the_largest_eigenvalue() {
        // Two equal features of deviation 1: the second moments have the eigenvalues 2, 1 (the bias) and 0.
        let values = (0..100).flat_map(|i| [f32::from(i as u8); 2]).collect();
        let train = labelled(values, 2, (0..100).map(|i| i % 2).collect());
        let problem = SoftmaxRegression::new(&train, true).unwrap();
        assert!((problem.curvature() - 1.0).abs() < 1e-4, "{}", problem.curvature());
    }

    #[test]
    fn the_digits_do_not_depend_on_the_number_of_threads() {
        let values = (0..1000 * 5).map(|i| ((i * i) % 97) as f32 / 97.0).collect();
        let train = labelled(values, 5, (0..1000).map(|i| (i * 7) % 3).collect());
        let problem = SoftmaxRegression::new(&train, true).unwrap();
        let parameters: Vec<f64> = (0..18).map(|i| f64::from(i) / 10.0).collect();
        let rows: Vec<usize> = (0..1000).collect();
        let with_threads = |threads: usize| {
            let pool =
                rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| problem.loss(&parameters, &rows))
        };
        assert_eq!(with_threads(1), with_threads(4));
    }

    #[test]
    fn the_parameters_of_a_layer_are_those_that_it_stands_for() {
        let values = (0..40).map(|i| ((i * i) % 17) as f32 + 3.0).collect();
        let train = labelled(values, 2, (0..20).map(|i| [0, 2, 3][i % 3]).collect());
        let problem = SoftmaxRegression::new(&train, true).unwrap();
        let parameters: Vec<f64> = (0..9).map(|i| f64::from(i) / 7.0 - 0.5).collect();
        let back = problem.parameters_of(&problem.layer(&parameters)).unwrap();
        for (found, expected) in back.iter().zip(&parameters) {
            assert!((found - expected).abs() < 1e-5, "{found}, not {expected}");
        }
        // A layer of classes 0 and 2 alone says nothing of class 3.
        let fewer = LinearLayer::new(vec![1.0; 6], vec![0.5, NEVER, 0.5]);
        let start = problem.parameters_of(&fewer).unwrap();
        assert!(start[0] > 0.0 && start[2] == 0.0 && start[8] == 0.0, "{start:?}");
        assert!(problem.parameters_of(&LinearLayer::new(vec![1.0], vec![0.0])).is_err());
    }

    #[test]
    fn a_class_without_examples_is_never_likely() {
        let train = labelled(vec![0.0, 1.0, 2.0], 1, vec![0, 2, 2]);
        let problem = SoftmaxRegression::new(&train, false).unwrap();
        assert_eq!((problem.classes(), problem.parameters()), (2, 4));
        let layer = problem.layer(&[0.0, 0.0, -5.0, -6.0]);
        let predictions = layer.predict(train.features()).unwrap();
        assert!(predictions.rows().all(|scores| scores[1] == 0.0));
        assert_eq!(predictions.classes(), 3);
    }
}
