//! The linear probe of the papers: a linear layer on frozen features, trained by SGD.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use simclr_embed::LabelledFeatures;
use simclr_range::OutOfRange;

use super::softmax_regression::SoftmaxRegression;
use crate::error::EvalError;
use crate::linear_layer::LinearLayer;
use crate::protocol::{Fitted, Protocol};
use crate::warmup_cosine::WarmupCosine;

/// The batch size for which the learning rate is stated.
const RATE_BATCH: f64 = 256.0;

/// Settings of [`SgdProbe`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SgdProbeConfig {
    /// Passes over the training set, at least 1.
    pub epochs: usize,
    /// Images in a step, at least 1; all if there are fewer.
    pub batch_size: usize,
    /// The first step's rate for a batch of 256, finite and positive; it grows with the batch.
    pub learning_rate: f64,
    /// Momentum in 0..1.
    pub momentum: f64,
    /// Factor of the weights in the gradient, finite and at least 0; biases have none.
    pub weight_decay: f64,
    /// Whether each feature is first brought to mean 0 and standard deviation 1 over the training set, so that one
    /// learning rate suits features of any scale.
    pub standardize: bool,
    /// Seed of the order of the images.
    pub seed: u64,
}

impl Default for SgdProbeConfig {
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

/// The linear evaluation of SimCLR (Chen et al. 2020, section 2.3 and appendix B.6): softmax
/// regression on the frozen features, trained by SGD with Nesterov's momentum of 0.9 from zero weights,
/// with a rate of 0.1 * batch / 256 that falls to zero along a cosine, and without weight decay.
///
/// The features of each image are computed once, of the image as it is evaluated. The paper draws a new crop and flip
/// in each epoch: that costs another pass through the encoder each time, and is worth about a point on `ImageNet`.
///
/// ```
/// use simclr_embed::{Features, LabelledFeatures};
/// use simclr_eval::{SgdProbe, SgdProbeConfig};
///
/// let features = Features::new(vec![1.0, 0.0, 0.9, 0.2, 0.1, 1.0, 0.0, 0.8], 2);
/// let train = LabelledFeatures::new(features, vec![0, 0, 1, 1])?;
/// let config = SgdProbeConfig { batch_size: 2, learning_rate: 10.0, ..SgdProbeConfig::default() };
/// let layer = SgdProbe::new(config)?.fit(&train)?;
/// assert_eq!(layer.predict(train.features())?.top1(), train.labels());
/// # Ok::<(), simclr_eval::EvalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SgdProbe {
    config: SgdProbeConfig,
}

impl SgdProbe {
    /// A probe with these settings.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a setting is out of its range.
    pub fn new(config: SgdProbeConfig) -> Result<Self, OutOfRange> {
        let SgdProbeConfig { epochs, batch_size, learning_rate, momentum, weight_decay, .. } =
            config;
        OutOfRange::unless(epochs > 0, "epochs", "at least 1", epochs)?;
        OutOfRange::unless(batch_size > 0, "batch_size", "at least 1", batch_size)?;
        let legal = learning_rate.is_finite() && learning_rate > 0.0;
        OutOfRange::unless(legal, "learning_rate", "finite and positive", learning_rate)?;
        OutOfRange::unless((0.0..1.0).contains(&momentum), "momentum", "in 0..1", momentum)?;
        let legal = weight_decay.is_finite() && weight_decay >= 0.0;
        OutOfRange::unless(legal, "weight_decay", "finite and at least 0", weight_decay)?;
        Ok(Self { config })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &SgdProbeConfig {
        &self.config
    }

    /// Learns from the training set. The result depends on the seed, not on the number of threads.
    ///
    /// # Errors
    ///
    /// [`EvalError::OneClass`] if there is nothing to tell apart; [`EvalError::Embed`] without images, or for features
    /// that are NaN or infinite.
    pub fn fit(&self, train: &LabelledFeatures) -> Result<LinearLayer, EvalError> {
        let SgdProbeConfig { epochs, momentum, weight_decay, .. } = self.config;
        let problem = SoftmaxRegression::new(train, self.config.standardize)?;
        let mut order: Vec<usize> = (0..problem.rows()).collect();
        let batch = self.config.batch_size.min(order.len());
        let steps = epochs * order.len().div_ceil(batch);
        let peak = self.config.learning_rate * batch as f64 / RATE_BATCH;
        let schedule = WarmupCosine::new(peak, 0, steps);

        let mut parameters = vec![0.0; problem.parameters()];
        let mut velocity = vec![0.0; problem.parameters()];
        let mut random = ChaCha8Rng::seed_from_u64(self.config.seed);
        let mut step: usize = 0;
        for _ in 0..epochs {
            order.shuffle(&mut random);
            for rows in order.chunks(batch) {
                let rate = schedule.rate(step);
                let (_, mut gradient) = problem.loss(&parameters, rows);
                for g in &mut gradient {
                    *g /= rows.len() as f64;
                }
                for (g, weight) in gradient.iter_mut().zip(&parameters[..problem.weights()]) {
                    *g += weight_decay * weight;
                }
                for ((parameter, v), g) in parameters.iter_mut().zip(&mut velocity).zip(gradient) {
                    *v = momentum * *v + g;
                    *parameter -= rate * (g + momentum * *v);
                }
                step += 1;
            }
        }
        Ok(problem.layer(&parameters))
    }
}

impl Protocol for SgdProbe {
    fn fit<'a>(&'a self, train: &'a LabelledFeatures) -> Result<Box<dyn Fitted + 'a>, EvalError> {
        Ok(Box::new(SgdProbe::fit(self, train)?))
    }

    fn describe(&self) -> String {
        let SgdProbeConfig {
            epochs, batch_size, learning_rate, momentum, weight_decay, seed, ..
        } = self.config;
        format!(
            "linear probe (SGD, Nesterov {momentum}), {epochs} epochs, batch {batch_size}, \
             rate {learning_rate} x batch / 256, cosine, weight decay {weight_decay}, seed {seed}"
        )
    }

    fn standardizes(&self) -> bool {
        self.config.standardize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{LogisticRegression, LogisticRegressionConfig};
    use simclr_embed::Features;

    /// Overlapping classes around three corners.
    fn corners(images: usize) -> LabelledFeatures {
        let wobble = |i: usize| ((i * 2_654_435_761) % 1000) as f32 / 1000.0 - 0.5;
        let row = |i: usize| {
            let corner = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]][i % 3];
            [corner[0] + 1.5 * wobble(2 * i), corner[1] + 1.5 * wobble(2 * i + 1)]
        };
        let features = Features::new((0..images).flat_map(row).collect(), 2);
        LabelledFeatures::new(features, (0..images).map(|i| i % 3).collect()).unwrap()
    }

    #[test]
    fn it_ends_where_logistic_regression_without_a_penalty_does() {
        let train = corners(600);
        let config =
            SgdProbeConfig { batch_size: 64, learning_rate: 4.0, ..SgdProbeConfig::default() };
        let unpenalised =
            LogisticRegressionConfig { c: 1e9, ..LogisticRegressionConfig::default() };
        let unpenalised = LogisticRegression::new(unpenalised).unwrap();
        let found = SgdProbe::new(config).unwrap().predict(&train, train.features()).unwrap();
        let expected = unpenalised.predict(&train, train.features()).unwrap();
        for (a, b) in found.rows().flatten().zip(expected.rows().flatten()) {
            assert!((a - b).abs() < 0.03, "{a}, not {b}");
        }
    }

    #[test]
    fn the_seed_decides() {
        let train = corners(300);
        let fit = |seed| {
            let config =
                SgdProbeConfig { epochs: 3, batch_size: 32, seed, ..SgdProbeConfig::default() };
            SgdProbe::new(config).unwrap().fit(&train).unwrap()
        };
        assert_eq!(fit(1), fit(1));
        assert_ne!(fit(1), fit(2));
    }

    #[test]
    fn one_full_batch_step_is_the_gradient_of_guessing() {
        // From zero all classes are equally likely; a step is rate * (1 + momentum) * gradient.
        let features = Features::new(vec![1.0, -1.0], 1);
        let train = LabelledFeatures::new(features, vec![0, 1]).unwrap();
        let config =
            SgdProbeConfig { epochs: 1, learning_rate: 128.0, ..SgdProbeConfig::default() };
        // rate 128 * 2 / 256 = 1; gradient of the first weight: mean of (1/2 - 1) 1 and (1/2) (-1).
        let layer = SgdProbe::new(config).unwrap().fit(&train).unwrap();
        assert_eq!(layer.weights(), [0.95, -0.95]);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        type Config = SgdProbeConfig;
        let good = Config::default();
        for (config, expected) in [
            (Config { epochs: 0, ..good }, "epochs to be at least 1, found 0"),
            (Config { batch_size: 0, ..good }, "batch_size to be at least 1, found 0"),
            (
                Config { learning_rate: -1.0, ..good },
                "learning_rate to be finite and positive, found -1",
            ),
            (Config { momentum: 1.0, ..good }, "momentum to be in 0..1, found 1"),
            (
                Config { weight_decay: f64::NAN, ..good },
                "weight_decay to be finite and at least 0, found NaN",
            ),
        ] {
            let message = SgdProbe::new(config).unwrap_err().to_string();
            assert_eq!(message, format!("expected {expected}"));
        }
    }
}
