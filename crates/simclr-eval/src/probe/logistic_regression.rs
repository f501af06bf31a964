//! The quick linear probe: multinomial logistic regression to its optimum.

use serde::{Deserialize, Serialize};
use simclr_embed::LabelledFeatures;
use simclr_range::OutOfRange;

use super::lbfgs::{Stop, minimize};
use super::softmax_regression::SoftmaxRegression;
use crate::error::EvalError;
use crate::linear_layer::LinearLayer;
use crate::protocol::{Fitted, Protocol};

/// Settings of [`LogisticRegression`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogisticRegressionConfig {
    /// Inverse strength of the penalty, finite and positive: scikit-learn's `C`.
    pub c: f64,
    /// Whether each feature is first brought to mean 0 and standard deviation 1 over the training set. Without it
    /// the penalty weighs on features of small scale, and L-BFGS takes longer.
    pub standardize: bool,
    /// Largest partial derivative of the objective at the optimum, finite and positive.
    pub tolerance: f64,
    /// The most steps of L-BFGS, at least 1.
    pub max_iterations: usize,
}

impl Default for LogisticRegressionConfig {
    /// c = 1 and tolerance 1e-4 as in scikit-learn, on standardised features, at most 1,000 iterations.
    fn default() -> Self {
        Self { c: 1.0, standardize: true, tolerance: 1e-4, max_iterations: 1000 }
    }
}

impl LogisticRegressionConfig {
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        for (field, value) in [("c", self.c), ("tolerance", self.tolerance)] {
            let legal = value.is_finite() && value > 0.0;
            OutOfRange::unless(legal, field, "finite and positive", value)?;
        }
        let steps = self.max_iterations;
        OutOfRange::unless(steps > 0, "max_iterations", "at least 1", steps)
    }
}

/// A linear probe that leaves nothing to chance: multinomial logistic regression with an L2 penalty, minimised by
/// L-BFGS to its one optimum. It has no learning rate and no seed.
///
/// The objective is scikit-learn's (`LogisticRegression(C=c)` on `StandardScaler`'s output),
///
/// ```text
/// 1/n sum_i -ln softmax(W x_i + b)_(y_i)  +  1/(2 c n) |W|²
/// ```
///
/// with biases free of the penalty. For two classes scikit-learn has a single weight vector, the difference of the two
/// rows of W. Here the penalty is doubled in that case, which makes the two objectives equal.
///
/// ```
/// use simclr_embed::{Features, LabelledFeatures};
/// use simclr_eval::LogisticRegression;
///
/// let features = Features::new(vec![1.0, 0.0, 0.9, 0.2, 0.1, 1.0, 0.0, 0.8], 2);
/// let train = LabelledFeatures::new(features, vec![0, 0, 1, 1])?;
/// let fit = LogisticRegression::default().fit(&train)?;
/// assert!(fit.converged);
///
/// let predictions = fit.layer.predict(&Features::new(vec![0.7, 0.3], 2))?;
/// assert_eq!(predictions.top1(), [0]);
/// # Ok::<(), simclr_eval::EvalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LogisticRegression {
    config: LogisticRegressionConfig,
}

/// A fitted [`LogisticRegression`].
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticFit {
    /// The layer, for features that are not standardised.
    pub layer: LinearLayer,
    /// The objective at the end.
    pub objective: f64,
    /// Steps of L-BFGS.
    pub iterations: usize,
    /// Whether the optimum was reached before the limit on iterations.
    pub converged: bool,
}

impl LogisticRegression {
    /// A probe with these settings.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a setting is out of its range.
    pub fn new(config: LogisticRegressionConfig) -> Result<Self, OutOfRange> {
        config.check()?;
        Ok(Self { config })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &LogisticRegressionConfig {
        &self.config
    }

    /// Learns from the training set. The result does not depend on the number of threads.
    ///
    /// # Errors
    ///
    /// [`EvalError::OneClass`] if there is nothing to tell apart; [`EvalError::Embed`] without images, or for features
    /// that are NaN or infinite.
    pub fn fit(&self, train: &LabelledFeatures) -> Result<LogisticFit, EvalError> {
        self.fit_until(train, &|| false)
    }

    /// [`fit`](Self::fit) that gives up as soon as `told_to_stop` says so, which it asks before each step.
    ///
    /// # Errors
    ///
    /// [`EvalError::Stopped`] if it gave up, and those of [`fit`](Self::fit).
    pub fn fit_until(
        &self,
        train: &LabelledFeatures,
        told_to_stop: &dyn Fn() -> bool,
    ) -> Result<LogisticFit, EvalError> {
        let problem = SoftmaxRegression::new(train, self.config.standardize)?;
        let start = vec![0.0; problem.parameters()];
        self.minimum(&problem, start, told_to_stop)
    }

    /// [`fit`](Self::fit) that starts at `layer`, such as the one for fewer examples: the same optimum in fewer steps. Classes that `layer` doesn't know
    /// start at zero.
    ///
    /// # Errors
    ///
    /// Those of [`fit`](Self::fit), and [`EvalError::Embed`] for a layer of other features.
    pub fn fit_from(
        &self,
        train: &LabelledFeatures,
        layer: &LinearLayer,
    ) -> Result<LogisticFit, EvalError> {
        let problem = SoftmaxRegression::new(train, self.config.standardize)?;
        let start = problem.parameters_of(layer)?;
        self.minimum(&problem, start, &|| false)
    }

    /// The optimum, from `start`.
    fn minimum(
        &self,
        problem: &SoftmaxRegression,
        start: Vec<f64>,
        told_to_stop: &dyn Fn() -> bool,
    ) -> Result<LogisticFit, EvalError> {
        let LogisticRegressionConfig { c, tolerance, max_iterations, .. } = self.config;
        let rows: Vec<usize> = (0..problem.rows()).collect();
        let count = rows.len() as f64;
        let vectors = if problem.classes() == 2 { 2.0 } else { 1.0 };
        let penalty = vectors / (c * count);

        let objective = |parameters: &[f64]| {
            let (mut value, mut gradient) = problem.loss(parameters, &rows);
            value /= count;
            for g in &mut gradient {
                *g /= count;
            }
            let weights = &parameters[..problem.weights()];
            for (g, weight) in gradient.iter_mut().zip(weights) {
                *g += penalty * weight;
            }
            value += 0.5 * penalty * weights.iter().map(|w| w * w).sum::<f64>();
            (value, gradient)
        };
        let stop = Stop { tolerance, max_iterations };
        let minimum =
            minimize(objective, start, stop, told_to_stop).map_err(|_| EvalError::Stopped)?;
        Ok(LogisticFit {
            layer: problem.layer(&minimum.point),
            objective: minimum.value,
            iterations: minimum.iterations,
            converged: minimum.converged,
        })
    }
}

impl Protocol for LogisticRegression {
    fn fit<'a>(&'a self, train: &'a LabelledFeatures) -> Result<Box<dyn Fitted + 'a>, EvalError> {
        Ok(Box::new(LogisticRegression::fit(self, train)?.layer))
    }

    fn describe(&self) -> String {
        format!("logistic regression (L-BFGS), C = {}", self.config.c)
    }

    fn standardizes(&self) -> bool {
        self.config.standardize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simclr_embed::Features;

    fn labelled(values: Vec<f32>, size: usize, labels: Vec<usize>) -> LabelledFeatures {
        LabelledFeatures::new(Features::new(values, size), labels).unwrap()
    }

    /// Two classes whose features are stretched by `scale`.
    fn two_blobs(scale: [f32; 2]) -> LabelledFeatures {
        let values = (0..40).flat_map(|i| {
            let (class, wobble) = (i % 2, (i * 13 % 7) as f32 / 10.0);
            [scale[0] * (class as f32 + wobble), scale[1] * wobble]
        });
        labelled(values.collect(), 2, (0..40).map(|i| i % 2).collect())
    }

    #[test]
    fn separable_classes_are_told_apart() {
        let train = two_blobs([1.0, 100.0]);
        let fit = LogisticRegression::default().fit(&train).unwrap();
        let predictions = fit.layer.predict(train.features()).unwrap();
        let accuracy = predictions.accuracy(train.labels(), 1);
        assert!(fit.converged && accuracy > 0.99, "{accuracy}");
    }

    #[test]
    fn standardised_features_make_the_units_irrelevant() {
        let of = |set: &LabelledFeatures| {
            let fit = LogisticRegression::default().fit(set).unwrap();
            fit.layer.predict(set.features()).unwrap()
        };
        let (one, other) = (of(&two_blobs([1.0, 100.0])), of(&two_blobs([1024.0, 100.0])));
        for (a, b) in one.rows().flatten().zip(other.rows().flatten()) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }

    #[test]
    fn a_fit_that_stops_at_the_limit_says_so() {
        let config = LogisticRegressionConfig {
            max_iterations: 1,
            tolerance: 1e-9,
            ..LogisticRegressionConfig::default()
        };
        let fit = LogisticRegression::new(config).unwrap().fit(&two_blobs([1.0, 100.0])).unwrap();
        assert_eq!((fit.converged, fit.iterations), (false, 1));
    }

    #[test]
    fn a_fit_that_is_told_to_stop_is_no_fit() {
        let (probe, train) = (LogisticRegression::default(), two_blobs([1.0, 100.0]));
        assert!(matches!(probe.fit_until(&train, &|| true), Err(EvalError::Stopped)));
        assert_eq!(probe.fit_until(&train, &|| false).unwrap(), probe.fit(&train).unwrap());
    }

    #[test]
    fn a_fit_from_another_layer_is_the_same_one_in_fewer_steps() {
        let config =
            LogisticRegressionConfig { tolerance: 1e-7, ..LogisticRegressionConfig::default() };
        let (probe, train) = (LogisticRegression::new(config).unwrap(), two_blobs([1.0, 100.0]));
        let fewer: Vec<usize> = (0..36).collect();
        let layer = probe.fit(&train.select(&fewer)).unwrap().layer;
        let (cold, warm) = (probe.fit(&train).unwrap(), probe.fit_from(&train, &layer).unwrap());
        assert!(warm.iterations < cold.iterations, "{warm:?} {cold:?}");
        assert!((warm.objective - cold.objective).abs() < 1e-9, "{warm:?} {cold:?}");
        let other = LinearLayer::new(vec![1.0; 2], vec![0.0; 2]);
        assert!(probe.fit_from(&train, &other).is_err());
    }

    #[test]
    fn settings_out_of_range_are_named() {
        type Config = LogisticRegressionConfig;
        let good = Config::default();
        let message = |config| LogisticRegression::new(config).unwrap_err().to_string();
        assert_eq!(
            message(Config { c: 0.0, ..good }),
            "expected c to be finite and positive, found 0"
        );
        assert_eq!(
            message(Config { tolerance: f64::NAN, ..good }),
            "expected tolerance to be finite and positive, found NaN"
        );
        assert_eq!(
            message(Config { max_iterations: 0, ..good }),
            "expected max_iterations to be at least 1, found 0"
        );
    }

    #[test]
    fn what_cannot_be_learnt_from_is_refused() {
        let fit = |values: Vec<f32>, labels: &[usize]| {
            let train = labelled(values, 1, labels.to_vec());
            LogisticRegression::default().fit(&train).unwrap_err().to_string()
        };
        assert_eq!(
            fit(vec![1.0, 2.0], &[3, 3]),
            "expected examples of at least two classes, found class 3 alone"
        );
        assert_eq!(fit(vec![], &[]), "expected at least one image in the training set, found none");
        assert_eq!(
            fit(vec![1.0, f32::NAN], &[0, 1]),
            "expected finite features, found NaN in row 1 of the training set"
        );
    }
}
