//! How often the labels given tell each other's classes.

use super::classifier::Learner;
use crate::error::ExploreError;

/// The most parts.
const FOLDS: usize = 5;
/// Labels that are looked at; of more, as many of each class.
const MOST_LABELS: usize = 1000;

/// How often a classifier that has seen some of the labels is right about the others: k-fold cross-validation, with five parts or as many as there are labels.
///
/// It is an estimate for photos like the labelled ones. Of photos that were labelled because they are hard it says less than of others, and of groups that were
/// labelled at once it says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldOut {
    /// Labels that were told.
    pub right: usize,
    /// Labels that were asked for.
    pub labels: usize,
    /// Of these, labels that were given to several images at once, in this session. Images of a group are alike, so that one tells the other's label: where most labels are such ones,
    /// the figure says how well the groups fit, more than what the classifier has learnt.
    pub together: usize,
}

impl HeldOut {
    /// The share that was told, in 0..=1.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.labels.max(1) as f64
    }

    /// Cross-validates the labels; `None` for fewer than two classes. `together` says of each row whether it got its label with others.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Eval`] for features that are not finite.
    pub(super) fn of(
        learner: &Learner,
        labels: &[(usize, usize)],
        together: &[bool],
    ) -> Result<Option<Self>, ExploreError> {
        let classes: Vec<usize> = labels.iter().map(|label| label.1).collect();
        let drawn = simclr_eval::draw_equally(&classes, MOST_LABELS, 0);
        let mut labels: Vec<(usize, usize)> = drawn.iter().map(|&at| labels[at]).collect();
        // Class by class, so that each part has its share of each.
        labels.sort_by_key(|label| label.1);
        if labels.first().map(|label| label.1) == labels.last().map(|label| label.1) {
            return Ok(None);
        }
        let folds = FOLDS.min(labels.len());
        let together = labels.iter().filter(|label| together[label.0]).count();
        let mut held_out = Self { right: 0, labels: 0, together };
        for fold in 0..folds {
            let part = |of_fold: bool| -> Vec<(usize, usize)> {
                let chosen = |(at, label): (usize, &(usize, usize))| {
                    ((at % folds == fold) == of_fold).then_some(*label)
                };
                labels.iter().enumerate().filter_map(chosen).collect()
            };
            let (test, train) = (part(true), part(false));
            let rows: Vec<usize> = test.iter().map(|label| label.0).collect();
            let told = match learner.learn(&train, None)? {
                Some(learnt) => learner.top1(&learnt, &rows)?,
                // The only class that is left.
                None => vec![train[0].1; test.len()],
            };
            held_out.right +=
                told.iter().zip(&test).filter(|(told, test)| **told == test.1).count();
            held_out.labels += test.len();
        }
        Ok(Some(held_out))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use simclr_embed::Features;

    use super::*;

    fn learner() -> Learner {
        let vector =
            |i: usize| [1.0, if i.is_multiple_of(2) { 0.5 } else { -0.5 }, (i % 5) as f32 / 50.0];
        Learner::new(Arc::new(Features::new((0..40).flat_map(vector).collect(), 3).unit()))
    }

    /// Of labels of which those of the rows 0 to 3 were given at once.
    fn of(labels: &[(usize, usize)]) -> Result<Option<HeldOut>, ExploreError> {
        let together: Vec<bool> = (0..40).map(|row| row < 4).collect();
        HeldOut::of(&learner(), labels, &together)
    }

    #[test]
    fn labels_that_follow_the_vectors_are_told_and_others_are_not() {
        let labels: Vec<_> = (0..20).map(|row| (row, row % 2)).collect();
        let found = of(&labels).unwrap().unwrap();
        assert_eq!(found, HeldOut { right: 20, labels: 20, together: 4 });
        assert!((found.accuracy() - 1.0).abs() < f64::EPSILON);
        let wrong: Vec<_> = (0..20).map(|row| (row, row / 2 % 2)).collect();
        assert!(of(&wrong).unwrap().unwrap().right < 15);
    }

    #[test]
    fn a_class_of_one_label_is_never_told() {
        let labels = [(0, 0), (2, 0), (4, 0), (1, 1)];
        let found = of(&labels).unwrap().unwrap();
        assert_eq!(found, HeldOut { right: 3, labels: 4, together: 3 });
        let two = of(&[(0, 0), (1, 1)]).unwrap().unwrap();
        assert_eq!(two, HeldOut { right: 0, labels: 2, together: 2 });
        assert_eq!(of(&[(0, 4), (1, 4)]).unwrap(), None);
        assert_eq!(of(&[]).unwrap(), None);
    }
}
