//! How few labels are enough: accuracy over draws of the training images.

use std::fmt;
use std::sync::Arc;

use burn::tensor::Device;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use simclr_data::{ImageDataset, Subset};

use crate::error::EvalError;
use crate::labelled_features::{LabelledFeatures, labels_of};
use crate::protocol::Protocol;

/// How many images of each class have a label.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelBudget {
    /// So many of each class, at least 1.
    PerClass(usize),
    /// So large a share of each class, above 0 and at most 1, but one image at least: 0.01 and 0.1 are
    /// usual on `ImageNet` (Chen et al. 2020, section 6).
    Fraction(f64),
}

/// Accuracies of one protocol on several draws of the training images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Top-1 of each draw, in 0..=1.
    pub accuracies: Vec<f64>,
    /// Training images of each draw.
    pub train_images: Vec<usize>,
}

impl Spread {
    /// The mean accuracy.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.accuracies.iter().sum::<f64>() / self.accuracies.len() as f64
    }

    /// The sample standard deviation, of n - 1; 0 for a single draw.
    #[must_use]
    pub fn standard_deviation(&self) -> f64 {
        let squares: f64 = self.accuracies.iter().map(|a| (a - self.mean()).powi(2)).sum();
        (squares / (self.accuracies.len() - 1).max(1) as f64).sqrt()
    }
}

/// "61.2 ± 0.8 % (10 draws of 100 images)".
impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mean, deviation) = (100.0 * self.mean(), 100.0 * self.standard_deviation());
        let fewest = self.train_images.iter().min().copied().unwrap_or(0);
        let most = self.train_images.iter().max().copied().unwrap_or(0);
        let images =
            if fewest == most { fewest.to_string() } else { format!("{fewest} to {most}") };
        let draws = self.accuracies.len();
        write!(f, "{mean:.1} ± {deviation:.1} % ({draws} draws of {images} images)")
    }
}

impl LabelBudget {
    /// Draws the rows of `labels` that keep their label: as many of each class, ascending.
    ///
    /// # Errors
    ///
    /// [`EvalError::Parameter`] for a budget out of its range, [`EvalError::TooFewImages`] if a class has
    /// fewer images.
    pub fn draw(self, labels: &[usize], seed: u64) -> Result<Vec<usize>, EvalError> {
        let check = |legal: bool, field, expected, found| {
            let protocol = "label budget";
            if legal {
                Ok(())
            } else {
                Err(EvalError::Parameter { protocol, field, expected, found })
            }
        };
        match self {
            Self::PerClass(count) => check(count > 0, "images per class", "at least 1", 0.0)?,
            Self::Fraction(share) => {
                check(share > 0.0 && share <= 1.0, "fraction", "above 0 and at most 1", share)?;
            }
        }
        let classes = labels.iter().max().map_or(0, |&label| label + 1);
        let mut members = vec![Vec::new(); classes];
        for (row, &label) in labels.iter().enumerate() {
            members[label].push(row);
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn = Vec::new();
        for (class, mut rows) in members.into_iter().enumerate().filter(|(_, m)| !m.is_empty()) {
            let expected = match self {
                Self::PerClass(count) => count,
                Self::Fraction(share) => ((share * rows.len() as f64).round() as usize).max(1),
            };
            if rows.len() < expected {
                return Err(EvalError::TooFewImages { class, expected, found: rows.len() });
            }
            rows.shuffle(&mut random);
            drawn.extend_from_slice(&rows[..expected]);
        }
        drawn.sort_unstable();
        Ok(drawn)
    }

    /// Draws the images of a labelled set that keep their label: what to [fine-tune](crate::FineTune) on.
    ///
    /// # Errors
    ///
    /// Those of [`draw`](Self::draw); [`EvalError::Unlabelled`] if an image has no label.
    pub fn subset(self, images: &Arc<dyn ImageDataset>, seed: u64) -> Result<Subset, EvalError> {
        let drawn = self.draw(&labels_of(images)?, seed)?;
        Ok(Subset::new(Arc::clone(images), drawn)?)
    }
}

/// How `protocol` does with so few labels: one draw of the training images per seed, always the whole
/// test set. Several budgets in turn make a curve.
///
/// # Errors
///
/// The errors of [`LabelBudget::draw`] and of [`evaluate`](crate::evaluate); [`EvalError::NoDraws`]
/// without a seed.
pub fn with_few_labels(
    protocol: &dyn Protocol,
    [train, test]: [&LabelledFeatures; 2],
    budget: LabelBudget,
    seeds: &[u64],
    device: &Device,
) -> Result<Spread, EvalError> {
    train.check_count()?;
    let draws: Result<Vec<_>, _> =
        seeds.iter().map(|&seed| budget.draw(&train.labels, seed)).collect();
    over_folds(protocol, [train, test], &draws?, device)
}

/// How `protocol` does on each of `folds`, which are rows of the training set: with the ten of
/// `Stl10::folds`, the official protocol of STL-10 (1,000 labels each, tested on the whole test set,
/// mean and standard deviation reported).
///
/// # Errors
///
/// [`EvalError::Fold`] for a row that there is none of, [`EvalError::NoDraws`] without a fold, and the
/// errors of [`evaluate`](crate::evaluate).
pub fn over_folds(
    protocol: &dyn Protocol,
    [train, test]: [&LabelledFeatures; 2],
    folds: &[Vec<usize>],
    device: &Device,
) -> Result<Spread, EvalError> {
    train.check_count()?;
    test.check_count()?;
    if folds.is_empty() {
        return Err(EvalError::NoDraws);
    }
    let images = train.labels.len();
    let accuracy = |fold: &Vec<usize>| {
        if let Some(&row) = fold.iter().find(|&&row| row >= images) {
            return Err(EvalError::Fold { images, row });
        }
        let predictions = protocol.predict(&train.select(fold), &test.features, device)?;
        Ok(predictions.accuracy(&test.labels, 1))
    };
    Ok(Spread {
        accuracies: folds.iter().map(accuracy).collect::<Result<_, EvalError>>()?,
        train_images: folds.iter().map(Vec::len).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Features, LogisticRegression};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_draw_has_as_many_of_each_class_and_none_twice(
            labels in prop::collection::vec(0_usize..4, 1..80),
            count in 1_usize..5,
            seed in any::<u64>(),
        ) {
            let in_class = |class| labels.iter().filter(|&&label| label == class).count();
            let fewest = labels.iter().map(|&class| in_class(class)).min().unwrap();
            let drawn = LabelBudget::PerClass(count).draw(&labels, seed);
            if fewest < count {
                prop_assert!(
                    matches!(drawn, Err(EvalError::TooFewImages { .. })), "expected a refusal"
                );
            } else {
                let drawn = drawn.unwrap();
                prop_assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
                for class in 0..4 {
                    let found = drawn.iter().filter(|&&row| labels[row] == class).count();
                    prop_assert_eq!(found, if in_class(class) == 0 { 0 } else { count });
                }
            }
        }
    }

    #[test]
    fn a_tiny_fraction_keeps_one_image_of_each_class() {
        let labels = [0, 0, 0, 1, 1, 2];
        assert_eq!(LabelBudget::Fraction(0.01).draw(&labels, 0).unwrap().len(), 3);
        assert_eq!(LabelBudget::Fraction(1.0).draw(&labels, 0).unwrap(), [0, 1, 2, 3, 4, 5]);
        let error = LabelBudget::Fraction(1.5).draw(&labels, 0).unwrap_err().to_string();
        let expected = "expected fraction of label budget to be above 0 and at most 1, found 1.5";
        assert_eq!(error, expected);
    }

    fn line(images: usize) -> LabelledFeatures {
        let values = (0..images).map(|i| i as f32 / images as f32).collect();
        let labels = (0..images).map(|i| usize::from(2 * i >= images)).collect();
        LabelledFeatures { features: Features::new(values, 1), labels }
    }

    #[test]
    fn more_labels_do_better_and_vary_less() {
        let (train, test) = (line(400), line(99));
        let probe = LogisticRegression { c: 100.0, ..LogisticRegression::default() };
        let curve = [1, 50].map(|count| {
            let budget = LabelBudget::PerClass(count);
            with_few_labels(&probe, [&train, &test], budget, &[0, 1, 2, 3], &Device::flex())
                .unwrap()
        });
        assert!(curve[0].mean() < curve[1].mean(), "{curve:?}");
        assert!(curve[0].standard_deviation() > curve[1].standard_deviation(), "{curve:?}");
        assert_eq!(curve[1].train_images, [100; 4]);
    }

    #[test]
    fn the_spread_is_printed_with_its_draws() {
        let spread = Spread { accuracies: vec![0.5, 0.7], train_images: vec![10, 10] };
        assert_eq!(spread.to_string(), "60.0 ± 14.1 % (2 draws of 10 images)");
    }

    #[test]
    fn a_fold_must_name_training_images() {
        let (set, probe) = (line(10), LogisticRegression::default());
        let over = |folds: &[Vec<usize>]| {
            over_folds(&probe, [&set, &set], folds, &Device::flex()).unwrap_err().to_string()
        };
        assert_eq!(over(&[vec![0, 10]]), "expected rows below 10 in a fold, found 10");
        assert_eq!(over(&[]), "expected at least one draw of the training images, found none");
    }
}
