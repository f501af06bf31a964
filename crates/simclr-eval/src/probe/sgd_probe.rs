//! The linear probe of the papers: a linear layer on frozen features, trained by SGD.

use burn::tensor::Device;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::cosine::cosine;
use crate::error::EvalError;
use crate::features::Features;
use crate::labelled_features::LabelledFeatures;
use crate::linear_layer::LinearLayer;
use crate::predictions::Predictions;
use crate::protocol::Protocol;
use crate::softmax_regression::SoftmaxRegression;
use crate::standardization::Standardization;

/// Images for which the learning rate is stated.
const RATE_BATCH: f64 = 256.0;

/// The linear evaluation of SimCLR (Chen et al. 2020, section 2.3 and appendix B.6): softmax
/// regression on the frozen features, trained by SGD with Nesterov's momentum of 0.9 from zero weights,
/// with a rate of 0.1 * batch / 256 that falls to zero along a cosine, and without weight decay.
///
/// The features of each image are computed once, of the image as it is evaluated. The paper draws a new
/// crop and flip in each epoch, which costs an encoder's pass each time and is worth about a point on
/// `ImageNet`.
///
/// ```
/// use simclr_eval::{Features, LabelledFeatures, SgdProbe};
///
/// let features = Features::new(vec![1.0, 0.0, 0.9, 0.2, 0.1, 1.0, 0.0, 0.8], 2);
/// let train = LabelledFeatures { features, labels: vec![0, 0, 1, 1] };
/// let probe = SgdProbe { batch_size: 2, learning_rate: 10.0, ..SgdProbe::default() };
/// let layer = probe.fit(&train)?;
/// assert_eq!(layer.predict(&train.features)?.top1(), train.labels);
/// # Ok::<(), simclr_eval::EvalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SgdProbe {
    /// Passes over the training images, at least 1.
    pub epochs: usize,
    /// Images in a step, at least 1; all if there are fewer.
    pub batch_size: usize,
    /// The first step's rate for a batch of 256, finite and positive; it grows with the batch.
    pub learning_rate: f64,
    /// Momentum in 0..1.
    pub momentum: f64,
    /// Factor of the weights in the gradient, finite and at least 0; biases have none.
    pub weight_decay: f64,
    /// Whether each feature is first brought to mean 0 and standard deviation 1 over the training
    /// images, so that one learning rate suits features of any scale.
    pub standardize: bool,
    /// Seed of the order of the images.
    pub seed: u64,
}

impl Default for SgdProbe {
    /// 90 epochs, batch 256, rate 0.1, momentum 0.9, no weight decay, features as they are.
    fn default() -> Self {
        Self {
            epochs: 90,
            batch_size: 256,
            learning_rate: 0.1,
            momentum: 0.9,
            weight_decay: 0.0,
            standardize: false,
            seed: 0,
        }
    }
}

impl SgdProbe {
    /// Learns from labelled features. The result depends on the seed, not on the number of threads.
    ///
    /// # Errors
    ///
    /// [`EvalError::Parameter`] for a setting out of its range, [`EvalError::OneClass`] if there is
    /// nothing to tell apart, and the errors of [`LabelledFeatures::check`].
    pub fn fit(&self, train: &LabelledFeatures) -> Result<LinearLayer, EvalError> {
        self.check()?;
        train.check_classes()?;
        let standardization = Standardization::for_probe(&train.features, self.standardize);
        let problem = SoftmaxRegression::new(&train.features, &train.labels, standardization);
        let mut order: Vec<usize> = (0..train.labels.len()).collect();
        let batch = self.batch_size.min(order.len());
        let steps = self.epochs * order.len().div_ceil(batch);
        let peak = self.learning_rate * batch as f64 / RATE_BATCH;

        let mut parameters = vec![0.0; problem.parameters()];
        let mut velocity = vec![0.0; problem.parameters()];
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let mut step: usize = 0;
        for _ in 0..self.epochs {
            order.shuffle(&mut random);
            for rows in order.chunks(batch) {
                let rate = cosine(peak, step, steps);
                let (_, mut gradient) = problem.loss(&parameters, rows);
                for g in &mut gradient {
                    *g /= rows.len() as f64;
                }
                for (g, weight) in gradient.iter_mut().zip(&parameters[..problem.weights()]) {
                    *g += self.weight_decay * weight;
                }
                for ((parameter, v), g) in parameters.iter_mut().zip(&mut velocity).zip(gradient) {
                    *v = self.momentum * *v + g;
                    *parameter -= rate * (g + self.momentum * *v);
                }
                step += 1;
            }
        }
        Ok(problem.layer(&parameters))
    }

    fn check(&self) -> Result<(), EvalError> {
        let check = |legal: bool, field, expected, found| {
            let protocol = "SGD probe";
            if legal {
                Ok(())
            } else {
                Err(EvalError::Parameter { protocol, field, expected, found })
            }
        };
        let (rate, decay) = (self.learning_rate, self.weight_decay);
        check(self.epochs > 0, "epochs", "at least 1", 0.0)?;
        check(self.batch_size > 0, "batch_size", "at least 1", 0.0)?;
        check(rate.is_finite() && rate > 0.0, "learning_rate", "finite and positive", rate)?;
        check((0.0..1.0).contains(&self.momentum), "momentum", "in 0..1", self.momentum)?;
        let expected = "finite and at least 0";
        check(decay.is_finite() && decay >= 0.0, "weight_decay", expected, decay)
    }
}

impl Protocol for SgdProbe {
    fn predict(
        &self,
        train: &LabelledFeatures,
        test: &Features,
        _: &Device,
    ) -> Result<Predictions, EvalError> {
        train.check_queries(test)?;
        self.fit(train)?.predict(test)
    }

    fn describe(&self) -> String {
        let Self { epochs, batch_size, learning_rate, momentum, weight_decay, seed, .. } = self;
        format!(
            "linear probe (SGD, Nesterov {momentum}), {epochs} epochs, batch {batch_size}, \
             rate {learning_rate} x batch / 256, cosine, weight decay {weight_decay}, seed {seed}"
        )
    }

    fn standardizes(&self) -> bool {
        self.standardize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logistic_regression::LogisticRegression;

    /// Overlapping classes around three corners.
    fn corners(images: usize) -> LabelledFeatures {
        let wobble = |i: usize| ((i * 2_654_435_761) % 1000) as f32 / 1000.0 - 0.5;
        let row = |i: usize| {
            let corner = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]][i % 3];
            [corner[0] + 1.5 * wobble(2 * i), corner[1] + 1.5 * wobble(2 * i + 1)]
        };
        let features = Features::new((0..images).flat_map(row).collect(), 2);
        LabelledFeatures { features, labels: (0..images).map(|i| i % 3).collect() }
    }

    #[test]
    fn it_ends_where_logistic_regression_without_a_penalty_does() {
        let train = corners(600);
        let probe = SgdProbe { batch_size: 64, learning_rate: 4.0, ..SgdProbe::default() };
        let unpenalised = LogisticRegression { c: 1e9, ..LogisticRegression::default() };
        let found = probe.predict(&train, &train.features, &Device::flex()).unwrap();
        let expected = unpenalised.predict(&train, &train.features, &Device::flex()).unwrap();
        for (a, b) in found.rows().flatten().zip(expected.rows().flatten()) {
            assert!((a - b).abs() < 0.03, "{a}, not {b}");
        }
    }

    #[test]
    fn the_seed_alone_decides() {
        let train = corners(300);
        let fit = |seed| {
            let probe = SgdProbe { epochs: 3, batch_size: 32, seed, ..SgdProbe::default() };
            probe.fit(&train).unwrap()
        };
        assert_eq!(fit(1), fit(1));
        assert_ne!(fit(1), fit(2));
    }

    #[test]
    fn one_full_batch_step_is_the_gradient_of_guessing() {
        // From zero all classes are equally likely; a step is rate * (1 + momentum) * gradient.
        let features = Features::new(vec![1.0, -1.0], 1);
        let train = LabelledFeatures { features, labels: vec![0, 1] };
        let probe = SgdProbe { epochs: 1, learning_rate: 128.0, ..SgdProbe::default() };
        // rate 128 * 2 / 256 = 1; gradient of the first weight: mean of (1/2 - 1) 1 and (1/2) (-1).
        assert_eq!(probe.fit(&train).unwrap().weights(), [0.95, -0.95]);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let good = SgdProbe::default();
        for (probe, expected) in [
            (SgdProbe { epochs: 0, ..good }, "epochs of SGD probe to be at least 1, found 0"),
            (
                SgdProbe { batch_size: 0, ..good },
                "batch_size of SGD probe to be at least 1, found 0",
            ),
            (
                SgdProbe { learning_rate: -1.0, ..good },
                "learning_rate of SGD probe to be finite and positive, found -1",
            ),
            (SgdProbe { momentum: 1.0, ..good }, "momentum of SGD probe to be in 0..1, found 1"),
            (
                SgdProbe { weight_decay: f64::NAN, ..good },
                "weight_decay of SGD probe to be finite and at least 0, found NaN",
            ),
        ] {
            let message = probe.fit(&corners(9)).unwrap_err().to_string();
            assert_eq!(message, format!("expected {expected}"));
        }
    }
}
