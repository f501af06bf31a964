//! Classes that are taken for each other.

use std::collections::BTreeMap;

use simclr_augment::EvaluationTransform;
use simclr_eval::{Confusion, Evaluation, Predictions};

use crate::error::ReportError;
use crate::images::{Gallery, Shown};

/// Pairs of classes that are shown, and images of each pair.
const PAIRS: usize = 6;
const EXAMPLES: usize = 5;

/// Images of one class that were taken for another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConfusedPair {
    pub(crate) confusion: Confusion,
    /// Test images of the class.
    pub(crate) of: usize,
    /// Some of the images, the most certain mistake first.
    pub(crate) examples: Vec<Shown>,
}

/// The most frequent confusions of `test`, whose classes are `labels`.
pub(crate) fn confused(
    evaluation: &Evaluation,
    labels: &[usize],
    test: &Gallery,
    transform: &EvaluationTransform,
) -> Result<Vec<ConfusedPair>, ReportError> {
    let Evaluation { report, predictions, .. } = evaluation;
    let mut confusions = report.confusion.most_confused();
    confusions.truncate(PAIRS);
    let mistakes = mistakes(predictions, labels);
    let pair = |confusion: Confusion| -> Result<ConfusedPair, ReportError> {
        let rows = mistakes.get(&(confusion.class, confusion.predicted));
        let examples = rows.into_iter().flatten().take(EXAMPLES);
        Ok(ConfusedPair {
            confusion,
            of: report.per_class[confusion.class].images,
            examples: examples
                .map(|&row| Shown::new(test, row, transform))
                .collect::<Result<_, ReportError>>()?,
        })
    };
    confusions.into_iter().map(pair).collect()
}

/// The rows of each pair (class, predicted class) of two different classes, the most certain first.
fn mistakes(predictions: &Predictions, labels: &[usize]) -> BTreeMap<(usize, usize), Vec<usize>> {
    let predicted = predictions.top1();
    let certainty: Vec<f32> =
        predictions.rows().zip(&predicted).map(|(scores, &class)| scores[class]).collect();
    let mut mistakes: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (row, (&label, &predicted)) in labels.iter().zip(&predicted).enumerate() {
        if label != predicted {
            mistakes.entry((label, predicted)).or_default().push(row);
        }
    }
    for rows in mistakes.values_mut() {
        rows.sort_by(|&a, &b| certainty[b].total_cmp(&certainty[a]));
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_sorted_by_certainty_and_right_answers_are_none() {
        let scores = vec![0.9, 0.1, 0.6, 0.4, 0.2, 0.8, 0.7, 0.3];
        let found = mistakes(&Predictions::new(scores, 2), &[1, 1, 1, 0]);
        assert_eq!(found, BTreeMap::from([((1, 0), vec![0, 1])]));
    }
}
