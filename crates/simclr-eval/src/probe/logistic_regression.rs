//! The quick linear probe: multinomial logistic regression to its optimum.

use burn::tensor::Device;

use crate::error::EvalError;
use crate::features::Features;
use crate::labelled_features::LabelledFeatures;
use crate::lbfgs::{Stop, minimize};
use crate::linear_layer::LinearLayer;
use crate::predictions::Predictions;
use crate::protocol::Protocol;
use crate::softmax_regression::SoftmaxRegression;
use crate::standardization::Standardization;

/// A linear probe without chance: multinomial logistic regression with an L2 penalty, minimised by
/// L-BFGS to its one optimum. It takes a second where the reference's
/// [`SgdProbe`](crate::SgdProbe) takes a minute, and has no learning rate.
///
/// The objective is scikit-learn's (`LogisticRegression(C=c)` on `StandardScaler`'s output),
///
/// ```text
/// 1/n sum_i -ln softmax(W x_i + b)_(y_i)  +  1/(2 c n) |W|²
/// ```
///
/// with biases free of the penalty. For two classes scikit-learn has a single weight vector, the
/// difference of the two rows of W: the penalty there is doubled, which makes the two the same.
///
/// ```
/// use simclr_eval::{Features, LabelledFeatures, LogisticRegression};
///
/// let features = Features::new(vec![1.0, 0.0, 0.9, 0.2, 0.1, 1.0, 0.0, 0.8], 2);
/// let train = LabelledFeatures { features, labels: vec![0, 0, 1, 1] };
/// let fit = LogisticRegression::default().fit(&train)?;
/// assert!(fit.converged);
///
/// let predictions = fit.layer.predict(&Features::new(vec![0.7, 0.3], 2))?;
/// assert_eq!(predictions.top1(), [0]);
/// # Ok::<(), simclr_eval::EvalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticRegression {
    /// Inverse strength of the penalty, finite and positive: scikit-learn's `C`.
    pub c: f64,
    /// Whether each feature is first brought to mean 0 and standard deviation 1 over the training
    /// images. Without it the penalty weighs on features of small scale, and L-BFGS takes longer.
    pub standardize: bool,
    /// Largest partial derivative of the objective at the optimum, finite and positive.
    pub tolerance: f64,
    /// Steps of L-BFGS at most, at least 1.
    pub max_iterations: usize,
}

impl Default for LogisticRegression {
    /// c = 1 and tolerance 1e-4 as in scikit-learn, on standardised features, at most 1,000 iterations.
    fn default() -> Self {
        Self { c: 1.0, standardize: true, tolerance: 1e-4, max_iterations: 1000 }
    }
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
    /// Whether the optimum was reached, rather than the limit on iterations.
    pub converged: bool,
}

impl LogisticRegression {
    /// Learns from labelled features. The result does not depend on the number of threads.
    ///
    /// # Errors
    ///
    /// [`EvalError::Parameter`] for a setting out of its range, [`EvalError::OneClass`] if there is
    /// nothing to tell apart, and the errors of [`LabelledFeatures::check`].
    pub fn fit(&self, train: &LabelledFeatures) -> Result<LogisticFit, EvalError> {
        self.check()?;
        train.check_classes()?;
        let standardization = Standardization::for_probe(&train.features, self.standardize);
        let problem = SoftmaxRegression::new(&train.features, &train.labels, standardization);
        let rows: Vec<usize> = (0..train.labels.len()).collect();
        let count = rows.len() as f64;
        let vectors = if problem.classes() == 2 { 2.0 } else { 1.0 };
        let penalty = vectors / (self.c * count);

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
        let stop = Stop { tolerance: self.tolerance, max_iterations: self.max_iterations };
        let minimum = minimize(objective, vec![0.0; problem.parameters()], stop);
        Ok(LogisticFit {
            layer: problem.layer(&minimum.point),
            objective: minimum.value,
            iterations: minimum.iterations,
            converged: minimum.converged,
        })
    }

    fn check(&self) -> Result<(), EvalError> {
        for (field, value) in [("c", self.c), ("tolerance", self.tolerance)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(Self::out_of_range(field, "finite and positive", value));
            }
        }
        if self.max_iterations == 0 {
            return Err(Self::out_of_range("max_iterations", "at least 1", 0.0));
        }
        Ok(())
    }

    fn out_of_range(field: &'static str, expected: &'static str, found: f64) -> EvalError {
        EvalError::Parameter { protocol: "logistic regression", field, expected, found }
    }
}

impl Protocol for LogisticRegression {
    fn predict(
        &self,
        train: &LabelledFeatures,
        test: &Features,
        _: &Device,
    ) -> Result<Predictions, EvalError> {
        train.check_queries(test)?;
        self.fit(train)?.layer.predict(test)
    }

    fn describe(&self) -> String {
        format!("logistic regression (L-BFGS), C = {}", self.c)
    }

    fn standardizes(&self) -> bool {
        self.standardize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_blobs() -> LabelledFeatures {
        let values = (0..40).flat_map(|i| {
            let (class, wobble) = (i % 2, (i * 13 % 7) as f32 / 10.0);
            [class as f32 + wobble, 100.0 * wobble]
        });
        let features = Features::new(values.collect(), 2);
        LabelledFeatures { features, labels: (0..40).map(|i| i % 2).collect() }
    }

    #[test]
    fn separable_classes_are_told_apart() {
        let train = two_blobs();
        let fit = LogisticRegression::default().fit(&train).unwrap();
        let accuracy = fit.layer.predict(&train.features).unwrap().accuracy(&train.labels, 1);
        assert!(fit.converged && accuracy > 0.99, "{accuracy}");
    }

    #[test]
    fn standardised_features_make_the_units_irrelevant() {
        let (train, mut other) = (two_blobs(), two_blobs());
        other.features =
            Features::new(other.features.rows().flat_map(|r| [r[0] * 1024.0, r[1]]).collect(), 2);
        let of = |set: &LabelledFeatures| {
            let fit = LogisticRegression::default().fit(set).unwrap();
            fit.layer.predict(&set.features).unwrap()
        };
        for (a, b) in of(&train).rows().flatten().zip(of(&other).rows().flatten()) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }

    #[test]
    fn a_run_into_the_limit_is_said() {
        let probe = LogisticRegression { max_iterations: 1, tolerance: 1e-9, ..Default::default() };
        let fit = probe.fit(&two_blobs()).unwrap();
        assert_eq!((fit.converged, fit.iterations), (false, 1));
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let good = LogisticRegression::default();
        let message = |probe: LogisticRegression| probe.fit(&two_blobs()).unwrap_err().to_string();
        assert_eq!(
            message(LogisticRegression { c: 0.0, ..good }),
            "expected c of logistic regression to be finite and positive, found 0"
        );
        assert_eq!(
            message(LogisticRegression { tolerance: f64::NAN, ..good }),
            "expected tolerance of logistic regression to be finite and positive, found NaN"
        );
        assert_eq!(
            message(LogisticRegression { max_iterations: 0, ..good }),
            "expected max_iterations of logistic regression to be at least 1, found 0"
        );
    }

    #[test]
    fn what_cannot_be_learnt_from_is_refused() {
        let fit = |values: Vec<f32>, labels: &[usize]| {
            let train =
                LabelledFeatures { features: Features::new(values, 1), labels: labels.to_vec() };
            LogisticRegression::default().fit(&train).unwrap_err().to_string()
        };
        assert_eq!(
            fit(vec![1.0, 2.0], &[3, 3]),
            "expected examples of at least two classes, found class 3 alone"
        );
        assert_eq!(
            fit(vec![1.0, 2.0], &[3]),
            "expected one label for each of 2 feature vectors, found 1"
        );
        assert_eq!(fit(vec![], &[]), "expected at least one image in the training set, found none");
        assert_eq!(
            fit(vec![1.0, f32::NAN], &[0, 1]),
            "expected finite features, found NaN in row 1 of the train"
        );
    }
}
