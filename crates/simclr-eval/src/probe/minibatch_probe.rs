//! Logistic regression on a device, a minibatch at a time: the linear probe of very many images.

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use simclr_embed::{EmbedError, LabelledFeatures};
use simclr_range::OutOfRange;

use super::softmax_regression::SoftmaxRegression;
use crate::error::EvalError;
use crate::linear_layer::LinearLayer;
use crate::protocol::{Fitted, Protocol};
use crate::warmup_cosine::WarmupCosine;

const MOMENTUM: f64 = 0.9;

/// Settings of [`MinibatchProbe`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinibatchProbeConfig {
    /// Inverse strength of the penalty, finite and positive, as that of
    /// [`LogisticRegressionConfig`](crate::LogisticRegressionConfig).
    pub c: f64,
    /// Passes over the training set, at least 1.
    pub epochs: usize,
    /// Images in a step, at least 1; all if there are fewer.
    pub batch_size: usize,
    /// Seed of the order of the images.
    pub seed: u64,
}

impl Default for MinibatchProbeConfig {
    /// c = 1 as in scikit-learn; 30 epochs of 1,024 images in a step, seed 0.
    fn default() -> Self {
        Self { c: 1.0, epochs: 30, batch_size: 1024, seed: 0 }
    }
}

/// The objective of [`LogisticRegression`](crate::LogisticRegression), approached by minibatches on a device: for so many
/// images that L-BFGS in f64 on the host would take hours.
///
/// SGD with Nesterov's momentum of 0.9 from zero weights, on standardised features, along a cosine to zero. The peak rate
/// is 1 / L, where L bounds the curvature of the cross-entropy: half the largest eigenvalue of the features' second
/// moments. So there is no rate to choose. The result is near the optimum, not at it: directions in which the
/// features hardly vary are learnt last.
///
/// It computes in f32. The result depends on the seed and, in its last digits, on the device.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_embed::{Features, LabelledFeatures};
/// use simclr_eval::{MinibatchProbe, MinibatchProbeConfig, Protocol};
///
/// let features = Features::new(vec![1.0, 0.0, 0.9, 0.2, 0.1, 1.0, 0.0, 0.8], 2);
/// let train = LabelledFeatures::new(features, vec![0, 0, 1, 1])?;
/// let probe = MinibatchProbe::new(MinibatchProbeConfig::default(), &Device::flex())?;
/// assert_eq!(probe.top1(&train, &train)?, 1.0);
/// # Ok::<(), simclr_eval::EvalError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MinibatchProbe {
    config: MinibatchProbeConfig,
    device: Device,
}

impl MinibatchProbe {
    /// A probe that learns on `device`.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a setting is out of its range.
    pub fn new(config: MinibatchProbeConfig, device: &Device) -> Result<Self, OutOfRange> {
        let MinibatchProbeConfig { c, epochs, batch_size, .. } = config;
        OutOfRange::unless(c.is_finite() && c > 0.0, "c", "finite and positive", c)?;
        OutOfRange::unless(epochs > 0, "epochs", "at least 1", epochs)?;
        OutOfRange::unless(batch_size > 0, "batch_size", "at least 1", batch_size)?;
        Ok(Self { config, device: device.clone().inner() })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &MinibatchProbeConfig {
        &self.config
    }

    /// Learns from the training set, unless `told_to_stop` between two steps.
    ///
    /// # Errors
    ///
    /// [`EvalError::Stopped`]; [`EvalError::OneClass`] if there is nothing to tell apart; [`EvalError::Embed`] without
    /// images, for features that are NaN or infinite, or if the device fails.
    pub fn fit_until(
        &self,
        train: &LabelledFeatures,
        told_to_stop: &dyn Fn() -> bool,
    ) -> Result<LinearLayer, EvalError> {
        let MinibatchProbeConfig { c, epochs, batch_size, seed } = self.config;
        let problem = SoftmaxRegression::new(train, true)?;
        let (images, classes) = (problem.rows(), problem.classes());
        let batch = batch_size.min(images);
        let schedule =
            WarmupCosine::new(1.0 / problem.curvature(), 0, epochs * images.div_ceil(batch));
        let vectors = if classes == 2 { 2.0 } else { 1.0 };
        let penalty = vectors / (c * images as f64);

        let mut layer = DeviceLayer::new(classes, problem.weights() / classes, &self.device);
        let mut order: Vec<usize> = (0..images).collect();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut step = 0;
        for _ in 0..epochs {
            order.shuffle(&mut random);
            for rows in order.chunks(batch) {
                if told_to_stop() {
                    return Err(EvalError::Stopped);
                }
                let (inputs, targets) = (problem.standardized(rows), problem.targets(rows));
                layer.step(inputs, targets, penalty, schedule.rate(step));
                step += 1;
            }
        }
        Ok(problem.layer(&layer.parameters()?))
    }
}

impl Protocol for MinibatchProbe {
    fn fit<'a>(&'a self, train: &'a LabelledFeatures) -> Result<Box<dyn Fitted + 'a>, EvalError> {
        Ok(Box::new(self.fit_until(train, &|| false)?))
    }

    fn describe(&self) -> String {
        let MinibatchProbeConfig { c, epochs, batch_size, seed } = self.config;
        format!(
            "logistic regression (SGD on the device), C = {c}, {epochs} epochs, batch {batch_size}, seed {seed}"
        )
    }

    fn standardizes(&self) -> bool {
        true
    }
}

/// A linear layer while it learns, on a device.
struct DeviceLayer {
    /// `[classes, features]`, and its velocity.
    weights: [Tensor<2>; 2],
    /// `[1, classes]`, and its velocity.
    biases: [Tensor<2>; 2],
    /// The numbers of the classes, `[1, classes]`: exact, as no index of images has 2^24 classes.
    classes: Tensor<2>,
}

impl DeviceLayer {
    fn new(classes: usize, features: usize, device: &Device) -> Self {
        let numbers: Vec<f32> = (0..classes).map(|class| class as f32).collect();
        let zeros = |shape: [usize; 2]| [(); 2].map(|()| Tensor::zeros(shape, device));
        Self {
            weights: zeros([classes, features]),
            biases: zeros([1, classes]),
            classes: Tensor::from_data(TensorData::new(numbers, [1, classes]), device),
        }
    }

    /// A step on a batch, whose inputs are row after row.
    fn step(&mut self, inputs: Vec<f32>, targets: Vec<f32>, penalty: f64, rate: f64) {
        let (device, batch) = (self.classes.device(), targets.len());
        let [classes, features] = self.weights[0].dims();
        let x = Tensor::<2>::from_data(TensorData::new(inputs, [batch, features]), &device);
        let targets = Tensor::<2>::from_data(TensorData::new(targets, [batch, 1]), &device);
        let own =
            targets.expand([batch, classes]).equal(self.classes.clone().expand([batch, classes]));

        let [weights, biases] = [&self.weights[0], &self.biases[0]].map(Clone::clone);
        let logits = x.clone().matmul(weights.clone().transpose()) + biases; // [batch, classes]
        let residuals = (softmax(logits, 1) - own.float()) / batch as f64;
        let by_weights = residuals.clone().transpose().matmul(x) + weights * penalty;
        descend(&mut self.weights, by_weights, rate);
        descend(&mut self.biases, residuals.sum_dim(0), rate);
    }

    /// The parameters as those of a [`SoftmaxRegression`]: weights feature by feature, then biases.
    fn parameters(self) -> Result<Vec<f64>, EvalError> {
        let [weights, biases] = [self.weights, self.biases].map(|[values, _]| values);
        let read = |values: Tensor<2>| -> Result<Vec<f32>, EvalError> {
            Ok(values.try_into_vec_as::<f32>().map_err(EmbedError::device)?)
        };
        let (weights, biases) = (read(weights.transpose())?, read(biases)?);
        Ok(weights.into_iter().chain(biases).map(f64::from).collect())
    }
}

/// A step of SGD with Nesterov's momentum on values and their velocity.
fn descend([values, velocity]: &mut [Tensor<2>; 2], gradient: Tensor<2>, rate: f64) {
    *velocity = velocity.clone() * MOMENTUM + gradient.clone();
    *values = values.clone() - (gradient + velocity.clone() * MOMENTUM) * rate;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::LogisticRegression;
    use simclr_embed::Features;

    /// Overlapping classes of features that are correlated and of different scales.
    fn blobs(images: usize, seed: u64) -> LabelledFeatures {
        use rand::RngExt;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (size, classes) = (12, 5);
        let mut values = Vec::new();
        for image in 0..images {
            let class = image % classes;
            let common: f32 = random.random_range(-2.0..2.0);
            for feature in 0..size {
                let centre = if feature % classes == class { 1.0 } else { 0.0 };
                let wobble: f32 = random.random_range(-1.5..1.5);
                values.push((centre + wobble + common) * (feature + 1) as f32);
            }
        }
        let labels = (0..images).map(|image| image % classes).collect();
        LabelledFeatures::new(Features::new(values, size), labels).unwrap()
    }

    fn probe(config: MinibatchProbeConfig) -> MinibatchProbe {
        MinibatchProbe::new(config, &Device::flex()).unwrap()
    }

    #[test]
    fn it_ends_near_the_optimum_of_logistic_regression() {
        let (train, test) = (blobs(4000, 1), blobs(4000, 2));
        let config = MinibatchProbeConfig { batch_size: 256, ..MinibatchProbeConfig::default() };
        let found = probe(config).predict(&train, test.features()).unwrap();
        let expected = LogisticRegression::default().predict(&train, test.features()).unwrap();
        let [found_top1, expected_top1] =
            [&found, &expected].map(|predictions| predictions.accuracy(test.labels(), 1));
        assert!(expected_top1 > 0.5, "{expected_top1}");
        assert!((found_top1 - expected_top1).abs() < 0.01, "{found_top1}, not {expected_top1}");
        let off = found.rows().flatten().zip(expected.rows().flatten());
        let mean = off.map(|(a, b)| f64::from((a - b).abs())).sum::<f64>() / (4000.0 * 5.0);
        assert!(mean < 0.02, "{mean}");
    }

    #[test]
    fn a_strong_penalty_keeps_the_weights_as_small_as_the_optimum_has_them() {
        let train = blobs(500, 3);
        let c = 0.002;
        let config = MinibatchProbeConfig { c, epochs: 200, batch_size: 100, seed: 0 };
        let exact = crate::LogisticRegressionConfig { c, ..Default::default() };
        let exact = LogisticRegression::new(exact).unwrap().fit(&train).unwrap().layer;
        let found = probe(config).fit_until(&train, &|| false).unwrap();
        let length = |layer: &LinearLayer| -> f32 { layer.weights().iter().map(|w| w * w).sum() };
        let ratio = length(&found) / length(&exact);
        assert!((ratio - 1.0).abs() < 0.02, "{ratio}");
    }

    #[test]
    fn labels_with_gaps_keep_their_numbers() {
        let train = blobs(300, 4);
        let labels = train.labels().iter().map(|label| 3 * label + 1).collect();
        let train = LabelledFeatures::new(train.features().clone(), labels).unwrap();
        let layer = probe(MinibatchProbeConfig::default()).fit_until(&train, &|| false).unwrap();
        assert_eq!(layer.classes(), 14);
        let predictions = layer.predict(train.features()).unwrap();
        assert!(predictions.top1().iter().all(|class| class % 3 == 1));
    }

    #[test]
    fn the_seed_decides_and_a_word_ends_it() {
        let train = blobs(400, 5);
        let fit = |seed| {
            let config = MinibatchProbeConfig { seed, epochs: 2, batch_size: 64, c: 1.0 };
            probe(config).fit_until(&train, &|| false).unwrap()
        };
        assert_eq!(fit(1), fit(1));
        assert_ne!(fit(1), fit(2));
        let asked = std::cell::Cell::new(0);
        let at_the_third = || asked.replace(asked.get() + 1) == 2;
        let stopped = probe(MinibatchProbeConfig::default()).fit_until(&train, &at_the_third);
        assert!(matches!(stopped, Err(EvalError::Stopped)), "{stopped:?}");
        assert_eq!(asked.get(), 3);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let good = MinibatchProbeConfig::default();
        for (config, expected) in [
            (MinibatchProbeConfig { c: 0.0, ..good }, "c to be finite and positive, found 0"),
            (MinibatchProbeConfig { epochs: 0, ..good }, "epochs to be at least 1, found 0"),
            (
                MinibatchProbeConfig { batch_size: 0, ..good },
                "batch_size to be at least 1, found 0",
            ),
        ] {
            let message = MinibatchProbe::new(config, &Device::flex()).unwrap_err().to_string();
            assert_eq!(message, format!("expected {expected}"));
        }
    }
}
