//! Scores of every class for every image.

/// A classifier's scores for some images: one for each class, the highest for the most likely.
///
/// The linear probes' scores are probabilities, kNN's are shares of the vote: both sum to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    scores: Vec<f32>,
    classes: usize,
}

impl Predictions {
    /// Predictions from their scores, image after image.
    ///
    /// # Panics
    ///
    /// If `classes` is zero or does not divide the number of scores.
    #[must_use]
    pub fn new(scores: Vec<f32>, classes: usize) -> Self {
        assert!(
            classes > 0 && scores.len().is_multiple_of(classes),
            "expected rows of {classes} scores, found {} values",
            scores.len()
        );
        Self { scores, classes }
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scores.len() / self.classes
    }

    /// Whether there are no images.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The scores of each image in order, one per class.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.scores.chunks_exact(self.classes)
    }

    /// The class with the highest score for each image; the lowest of those with equal scores.
    #[must_use]
    pub fn top1(&self) -> Vec<usize> {
        let best = |row: &[f32]| {
            (0..row.len()).fold(0, |best, class| if row[class] > row[best] { class } else { best })
        };
        self.rows().map(best).collect()
    }

    /// The `k` classes with the highest scores for each image, the highest first, and of equal ones the lowest class; all
    /// classes if there are fewer.
    #[must_use]
    pub fn best(&self, k: usize) -> Vec<Vec<usize>> {
        let best = |row: &[f32]| {
            let mut classes: Vec<usize> = (0..row.len()).collect();
            classes.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
            classes.truncate(k);
            classes
        };
        self.rows().map(best).collect()
    }

    /// For each image, how many classes are likelier than its own: 0 if it is classified rightly. A label
    /// without a score ranks last.
    ///
    /// # Panics
    ///
    /// If there isn't one label per image.
    #[must_use]
    pub fn ranks(&self, labels: &[usize]) -> Vec<usize> {
        assert_eq!(labels.len(), self.len(), "expected one label for each image");
        let rank = |(row, &label): (&[f32], &usize)| match row.get(label) {
            None => self.classes,
            Some(own) => {
                // Among equal scores the lowest label comes first.
                let ahead =
                    |(class, score): (usize, &f32)| score > own || (score >= own && class < label);
                row.iter().enumerate().filter(|&(class, score)| ahead((class, score))).count()
            }
        };
        self.rows().zip(labels).map(rank).collect()
    }

    /// The share of images whose class is among the `k` with the highest scores, in 0..=1.
    ///
    /// # Panics
    ///
    /// If there are no images, or not one label per image.
    #[must_use]
    pub fn accuracy(&self, labels: &[usize], k: usize) -> f64 {
        assert!(!self.is_empty(), "expected at least one image, found none");
        let right = self.ranks(labels).into_iter().filter(|&rank| rank < k).count();
        right as f64 / labels.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_scores_go_to_the_lowest_label() {
        let predictions = Predictions::new(vec![0.2, 0.4, 0.4], 3);
        assert_eq!(predictions.top1(), [1]);
        assert_eq!(predictions.best(2), [[1, 2]]);
        assert_eq!(predictions.best(9), [[1, 2, 0]]);
        assert_eq!(predictions.ranks(&[1]), [0]);
        assert_eq!(predictions.ranks(&[2]), [1]);
    }

    #[test]
    fn a_class_that_was_never_learnt_is_never_right() {
        let predictions = Predictions::new(vec![0.6, 0.4], 2);
        assert!(predictions.accuracy(&[2], 2).abs() < f64::EPSILON);
    }

    proptest! {
        #[test]
        fn top_k_grows_with_k_from_top_1_to_everything(
            rows in prop::collection::vec((prop::array::uniform4(0_u8..4), 0_usize..4), 1..30),
        ) {
            let (scores, labels): (Vec<_>, Vec<usize>) = rows.into_iter().unzip();
            let scores = scores.concat().into_iter().map(f32::from).collect();
            let predictions = Predictions::new(scores, 4);
            let right = predictions.top1().iter().zip(&labels).filter(|(a, b)| a == b).count();
            let top = |k| predictions.accuracy(&labels, k);
            prop_assert!((top(1) - right as f64 / labels.len() as f64).abs() < 1e-12);
            prop_assert!(top(1) <= top(2) && top(2) <= top(3) && (top(4) - 1.0).abs() < 1e-12);
        }
    }
}
