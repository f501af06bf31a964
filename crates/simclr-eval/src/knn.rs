//! Weighted k-nearest-neighbour classification of features.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use simclr_embed::{CosineIndex, Features, LabelledFeatures, Neighbour};
use simclr_range::OutOfRange;

use crate::error::EvalError;
use crate::figures::Predictions;
use crate::protocol::{Fitted, Protocol};

/// Up to so many training images, fewer neighbours vote: 200 are more than a class has to give.
const SMALL_SET: usize = 4000;
const K_OF_SMALL_SETS: usize = 20;

/// Settings of [`Knn`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnnConfig {
    /// Neighbours that vote, at least 1; all of a training set that has fewer.
    pub k: usize,
    /// Temperature of the vote's weights, finite and positive.
    pub temperature: f64,
}

impl Default for KnnConfig {
    /// k = 200 and temperature 0.1, as in Wu et al. 2018 and in lightly's benchmarks.
    fn default() -> Self {
        Self { k: 200, temperature: 0.1 }
    }
}

impl KnnConfig {
    /// The default vote for a training set of so many images: k = 200, or 20 for 4,000 images or fewer.
    #[must_use]
    pub fn for_training_images(images: usize) -> Self {
        let default = Self::default();
        Self { k: if images > SMALL_SET { default.k } else { K_OF_SMALL_SETS }, ..default }
    }

    /// The default vote of a training set that is a draw of equally many images per class: k = 200, or 20 for 4,000 images
    /// or fewer, and where a class has fewer than 200 to give.
    #[must_use]
    pub fn for_equal_classes(images: usize, classes: usize) -> Self {
        let usual = Self::for_training_images(images);
        let k = if images < usual.k * classes { K_OF_SMALL_SETS } else { usual.k };
        Self { k, ..usual }
    }
}

/// The weighted kNN classifier of Wu et al. 2018 ("Unsupervised feature learning via non-parametric
/// instance discrimination", section 3.4), the usual monitor of self-supervised training.
///
/// The k training images with the highest cosine to a test image vote for their classes with weight
/// exp(cosine / temperature). Nothing is trained, so it is quick enough for every epoch.
///
/// Exact, and bounded in memory: see [`CosineIndex`].
///
/// ```
/// use burn::tensor::Device;
/// use simclr_embed::{Features, LabelledFeatures};
/// use simclr_eval::{Knn, KnnConfig, Protocol};
///
/// let train = Features::new(vec![1.0, 0.0, 0.9, 0.1, 0.0, 1.0], 2);
/// let train = LabelledFeatures::new(train, vec![7, 7, 3])?;
/// let test = Features::new(vec![0.8, 0.0, 0.1, 2.0], 2);
/// let test = LabelledFeatures::new(test, vec![7, 3])?;
///
/// let knn = Knn::new(KnnConfig { k: 1, ..KnnConfig::default() }, &Device::flex())?;
/// assert_eq!(knn.top1(&train, &test)?, 1.0);
/// # Ok::<(), simclr_eval::EvalError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Knn {
    config: KnnConfig,
    device: Device,
}

impl Knn {
    /// A classifier that compares features on `device`.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] if a setting is out of its range.
    pub fn new(config: KnnConfig, device: &Device) -> Result<Self, OutOfRange> {
        let KnnConfig { k, temperature } = config;
        OutOfRange::unless(k > 0, "k", "at least 1", k)?;
        let legal = temperature.is_finite() && temperature > 0.0;
        OutOfRange::unless(legal, "temperature", "finite and positive", temperature)?;
        Ok(Self { config, device: device.clone() })
    }

    /// The default classifier for a training set of so many images: [`KnnConfig::for_training_images`].
    #[must_use]
    pub fn for_training_images(images: usize, device: &Device) -> Self {
        Self { config: KnnConfig::for_training_images(images), device: device.clone() }
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &KnnConfig {
        &self.config
    }

    /// Each class's share of the vote.
    fn vote(&self, nearest: &[Neighbour], labels: &[usize], classes: usize) -> Vec<f32> {
        // exp(c / t) leaves the range of floats at a low temperature; only the ratios count.
        let largest = nearest.iter().map(|n| n.cosine).fold(f32::NEG_INFINITY, f32::max);
        let mut votes = vec![0.0_f64; classes];
        for neighbour in nearest {
            votes[labels[neighbour.row as usize]] +=
                (f64::from(neighbour.cosine - largest) / self.config.temperature).exp();
        }
        let sum: f64 = votes.iter().sum();
        votes.into_iter().map(|vote| (vote / sum) as f32).collect()
    }
}

impl Protocol for Knn {
    fn fit<'a>(&'a self, train: &'a LabelledFeatures) -> Result<Box<dyn Fitted + 'a>, EvalError> {
        train.features().check("training set")?;
        let index = CosineIndex::new(train.features(), &self.device)?;
        Ok(Box::new(FittedKnn { knn: self, train, index }))
    }

    fn describe(&self) -> String {
        let KnnConfig { k, temperature } = self.config;
        format!("kNN, k = {k}, temperature {temperature}, cosine")
    }

    fn standardizes(&self) -> bool {
        false
    }
}

/// The training set, to be searched.
struct FittedKnn<'a> {
    knn: &'a Knn,
    train: &'a LabelledFeatures,
    index: CosineIndex,
}

impl Fitted for FittedKnn<'_> {
    /// Each class's share of the vote. Of equally weighted classes the one with the lowest label wins.
    fn predict(&self, test: &Features) -> Result<Predictions, EvalError> {
        test.check("test set")?;
        let (labels, classes) = (self.train.labels(), self.train.classes());
        let scores = self.index.nearest_with(test, self.knn.config.k, |nearest| {
            self.knn.vote(nearest, labels, classes)
        })?;
        Ok(Predictions::new(scores.concat(), classes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(rows: &[[f32; 3]], labels: &[usize]) -> LabelledFeatures {
        LabelledFeatures::new(Features::new(rows.concat(), 3), labels.to_vec()).unwrap()
    }

    fn classify(config: KnnConfig, train: &LabelledFeatures, test: &Features) -> Vec<usize> {
        let knn = Knn::new(config, &Device::flex()).unwrap();
        knn.predict(train, test).unwrap().top1()
    }

    /// The definition: sort all, take k, add up the weights.
    fn oracle(config: KnnConfig, train: &LabelledFeatures, image: &[f32]) -> usize {
        let unit = |row: &[f32]| -> Vec<f64> {
            let norm = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            row.iter().map(|&x| f64::from(x) / norm).collect()
        };
        let image = unit(image);
        let mut neighbours: Vec<(f64, usize)> = train
            .features()
            .rows()
            .zip(train.labels())
            .map(|(row, &label)| (unit(row).iter().zip(&image).map(|(a, b)| a * b).sum(), label))
            .collect();
        neighbours.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut votes = [0.0; 4];
        for (cosine, label) in neighbours.into_iter().take(config.k) {
            votes[label] += (cosine / config.temperature).exp();
        }
        (1..4).fold(0, |best, class| if votes[class] > votes[best] { class } else { best })
    }

    proptest! {
        #[test]
        fn the_blocked_search_agrees_with_the_definition(
            rows in prop::collection::vec((prop::array::uniform3(-1.0_f32..1.0), 0_usize..4), 2..40),
            test in prop::collection::vec(prop::array::uniform3(-1.0_f32..1.0), 1..200),
            k in 1_usize..50,
        ) {
            let (points, labels): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
            let train = set(&points, &labels);
            let config = KnnConfig { k, temperature: 0.3 };
            let found = classify(config, &train, &Features::new(test.concat(), 3));
            for (image, &found) in test.iter().zip(&found) {
                prop_assert_eq!(found, oracle(config, &train, image));
            }
        }
    }

    #[test]
    fn a_low_temperature_lets_the_nearest_decide_without_overflow() {
        let train = set(&[[1.0, 0.5, 0.0], [0.9, 0.8, 0.0], [0.9, 0.81, 0.0]], &[1, 0, 0]);
        let test = Features::new(vec![1.0, 0.0, 0.0], 3);
        for (temperature, expected) in [(1e-5, 1), (10.0, 0)] {
            assert_eq!(classify(KnnConfig { k: 3, temperature }, &train, &test), [expected]);
        }
    }

    #[test]
    fn k_larger_than_the_training_set_lets_all_vote() {
        let train = set(&[[1.0, 0.0, 0.0], [1.0, 0.1, 0.0]], &[1, 1]);
        assert_eq!(classify(KnnConfig::default(), &train, train.features()), [1, 1]);
    }

    #[test]
    fn few_images_a_class_have_fewer_votes() {
        let k = |images, classes| KnnConfig::for_equal_classes(images, classes).k;
        assert_eq!([k(5000, 10), k(5000, 25), k(5000, 26), k(5000, 1000)], [200, 200, 20, 20]);
        assert_eq!([k(4000, 2), k(0, 0)], [20, 20]);
    }

    #[test]
    fn neither_k_nor_the_temperature_can_be_out_of_range() {
        let message =
            |config| Knn::new(config, &Device::flex()).map(|_| ()).unwrap_err().to_string();
        let good = KnnConfig::default();
        let k = message(KnnConfig { k: 0, ..good });
        assert_eq!(k, "expected k to be at least 1, found 0");
        let temperature = message(KnnConfig { temperature: f64::NAN, ..good });
        assert_eq!(temperature, "expected temperature to be finite and positive, found NaN");
    }

    #[test]
    fn sets_that_cannot_be_compared_are_named() {
        let (one, none) = (set(&[[1.0, 0.0, 0.0]], &[0]), set(&[], &[]));
        let knn = Knn::for_training_images(1, &Device::flex());
        let message = |train, test| knn.predict(train, test).unwrap_err().to_string();
        assert_eq!(
            message(&none, one.features()),
            "expected at least one image in the training set, found none"
        );
        assert_eq!(
            message(&one, none.features()),
            "expected at least one image in the test set, found none"
        );
        assert_eq!(
            message(&one, &Features::new(vec![1.0, 2.0], 2)),
            "expected feature vectors of length 3, found 2"
        );
    }
}
