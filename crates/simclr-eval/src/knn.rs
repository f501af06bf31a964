//! Weighted k-nearest-neighbour classification of features.

use burn::tensor::Device;

use crate::error::EvalError;
use crate::features::Features;
use crate::labelled_features::LabelledFeatures;
use crate::neighbours::{Bank, Neighbour};
use crate::predictions::Predictions;
use crate::protocol::Protocol;

/// The weighted kNN classifier of Wu et al. 2018 ("Unsupervised feature learning via non-parametric
/// instance discrimination", section 3.4), the usual monitor of self-supervised training.
///
/// The k train images with the highest cosine to a query vote for their classes with weight
/// exp(cosine / temperature). Nothing is trained, so it can be asked after every epoch.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_eval::{Features, Knn, LabelledFeatures};
///
/// let train = Features::new(vec![1.0, 0.0, 0.9, 0.1, 0.0, 1.0], 2);
/// let train = LabelledFeatures { features: train, labels: vec![7, 7, 3] };
/// let test = Features::new(vec![0.8, 0.0, 0.1, 2.0], 2);
/// let test = LabelledFeatures { features: test, labels: vec![7, 3] };
///
/// let knn = Knn { k: 1, ..Knn::default() };
/// assert_eq!(knn.top1(&train, &test, &Device::flex())?, 1.0);
/// # Ok::<(), simclr_eval::EvalError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knn {
    /// Neighbours that vote, at least 1; all of a training set that has fewer.
    pub k: usize,
    /// Temperature of the vote's weights, finite and positive.
    pub temperature: f64,
}

impl Default for Knn {
    /// k = 200 and temperature 0.1, as in Wu et al. 2018 and in lightly's benchmarks.
    fn default() -> Self {
        Self { k: 200, temperature: 0.1 }
    }
}

impl Knn {
    /// The default vote for a training set of `images`: k = 200, but 20 for a training set of 4,000 images or fewer,
    /// where 200 neighbours are more than a class has to give.
    #[must_use]
    pub fn for_training_images(images: usize) -> Self {
        Self { k: if images > 4000 { 200 } else { 20 }, ..Self::default() }
    }

    /// The share of test whose class is voted for, in 0..=1.
    ///
    /// # Errors
    ///
    /// Those of [`classify`](Self::classify).
    pub fn top1(
        &self,
        train: &LabelledFeatures,
        test: &LabelledFeatures,
        device: &Device,
    ) -> Result<f64, EvalError> {
        test.check_count()?;
        let predictions = self.predict(train, &test.features, device)?;
        Ok(predictions.accuracy(&test.labels, 1))
    }

    /// The class of each query. Of equally weighted classes the one with the lowest label wins.
    ///
    /// # Errors
    ///
    /// [`EvalError::Parameter`] if k or the temperature is out of range, [`EvalError::FeatureSize`] if the
    /// two sets' features differ in length, and the errors of [`LabelledFeatures::check`].
    pub fn classify(
        &self,
        train: &LabelledFeatures,
        test: &LabelledFeatures,
        device: &Device,
    ) -> Result<Vec<usize>, EvalError> {
        Ok(self.predict(train, &test.features, device)?.top1())
    }

    fn check(&self) -> Result<(), EvalError> {
        let out_of_range = |field, expected, found| EvalError::Parameter {
            protocol: "kNN",
            field,
            expected,
            found,
        };
        if self.k == 0 {
            return Err(out_of_range("k", "at least 1", 0.0));
        }
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return Err(out_of_range("temperature", "finite and positive", self.temperature));
        }
        Ok(())
    }

    /// Each class's share of the vote.
    fn vote(&self, nearest: &[Neighbour], labels: &[usize], classes: usize) -> Vec<f32> {
        // exp(c / t) leaves the range of floats at a low temperature; only the ratios count.
        let largest = nearest.iter().map(|n| n.cosine).fold(f32::NEG_INFINITY, f32::max);
        let mut votes = vec![0.0_f64; classes];
        for neighbour in nearest {
            votes[labels[neighbour.row as usize]] +=
                (f64::from(neighbour.cosine - largest) / self.temperature).exp();
        }
        let sum: f64 = votes.iter().sum();
        votes.into_iter().map(|vote| (vote / sum) as f32).collect()
    }
}

impl Protocol for Knn {
    /// Each class's share of the vote of each query's neighbours.
    ///
    /// Exact, and bounded in memory: a thousand test at a time are compared with one tile of the training set
    /// after the other on `device`, and their neighbours are kept on all cores.
    fn predict(
        &self,
        train: &LabelledFeatures,
        test: &Features,
        device: &Device,
    ) -> Result<Predictions, EvalError> {
        self.check()?;
        train.check()?;
        train.check_queries(test)?;
        let classes = train.labels.iter().max().map_or(0, |&label| label + 1);
        let scores = Bank::new(&train.features, device)
            .nearest(test, self.k, |nearest| self.vote(nearest, &train.labels, classes))?;
        Ok(Predictions::new(scores.concat(), classes))
    }

    fn describe(&self) -> String {
        format!("kNN, k = {}, temperature {}, cosine", self.k, self.temperature)
    }

    fn standardizes(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Features;
    use proptest::prelude::*;

    fn set(rows: &[[f32; 3]], labels: &[usize]) -> LabelledFeatures {
        LabelledFeatures { features: Features::new(rows.concat(), 3), labels: labels.to_vec() }
    }

    /// The definition: sort all, take k, add up the weights.
    fn oracle(knn: Knn, train: &LabelledFeatures, query: &[f32]) -> usize {
        let unit = |row: &[f32]| -> Vec<f64> {
            let norm = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            row.iter().map(|&x| f64::from(x) / norm).collect()
        };
        let query = unit(query);
        let mut neighbours: Vec<(f64, usize)> = train
            .features
            .rows()
            .zip(&train.labels)
            .map(|(row, &label)| (unit(row).iter().zip(&query).map(|(a, b)| a * b).sum(), label))
            .collect();
        neighbours.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut votes = [0.0; 4];
        for (cosine, label) in neighbours.into_iter().take(knn.k) {
            votes[label] += (cosine / knn.temperature).exp();
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
            let asked = set(&test, &vec![0; test.len()]);
            let knn = Knn { k, temperature: 0.3 };
            let found = knn.classify(&train, &asked, &Device::flex()).unwrap();
            for (query, &found) in test.iter().zip(&found) {
                prop_assert_eq!(found, oracle(knn, &train, query));
            }
        }
    }

    #[test]
    fn a_low_temperature_lets_the_nearest_decide_without_overflow() {
        let train = set(&[[1.0, 0.5, 0.0], [0.9, 0.8, 0.0], [0.9, 0.81, 0.0]], &[1, 0, 0]);
        let query = set(&[[1.0, 0.0, 0.0]], &[1]);
        for (temperature, expected) in [(1e-5, 1), (10.0, 0)] {
            let knn = Knn { k: 3, temperature };
            assert_eq!(knn.classify(&train, &query, &Device::flex()).unwrap(), [expected]);
        }
    }

    #[test]
    fn k_larger_than_the_bank_lets_all_vote() {
        let train = set(&[[1.0, 0.0, 0.0], [1.0, 0.1, 0.0]], &[1, 1]);
        assert_eq!(Knn::default().classify(&train, &train, &Device::flex()).unwrap(), [1, 1]);
    }

    #[test]
    fn bad_parameters_and_sets_are_named() {
        let (one, none) = (set(&[[1.0, 0.0, 0.0]], &[0]), set(&[], &[]));
        let other_size =
            LabelledFeatures { features: Features::new(vec![1.0, 2.0], 2), labels: vec![0] };
        let message = |knn: Knn, train, test| {
            knn.classify(train, test, &Device::flex()).unwrap_err().to_string()
        };
        let good = Knn::default();
        assert_eq!(
            message(Knn { k: 0, ..good }, &one, &one),
            "expected k of kNN to be at least 1, found 0"
        );
        assert_eq!(
            message(Knn { temperature: f64::NAN, ..good }, &one, &one),
            "expected temperature of kNN to be finite and positive, found NaN"
        );
        assert_eq!(
            message(good, &none, &one),
            "expected at least one image in the training set, found none"
        );
        assert_eq!(
            message(good, &one, &other_size),
            "expected feature vectors of length 3, found 2"
        );
    }
}
