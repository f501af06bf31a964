//! Which class is taken for which.

use serde::{Deserialize, Serialize};

/// How many images of each class were taken for each class.
///
/// ```
/// use simclr_eval::ConfusionMatrix;
///
/// let matrix = ConfusionMatrix::new(&[0, 0, 1, 1], &[0, 1, 1, 1], 2);
/// assert_eq!(matrix.count(0, 1), 1);
/// assert_eq!(matrix.rows(), [[1, 1], [0, 2]]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfusionMatrix {
    /// Row by true class, column by predicted class.
    rows: Vec<Vec<usize>>,
}

/// A confusion: images of one class taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confusion {
    /// The true class.
    pub class: usize,
    /// The class it was taken for.
    pub predicted: usize,
    /// How many images.
    pub images: usize,
}

impl ConfusionMatrix {
    /// Counts images by their true and their predicted class.
    ///
    /// # Panics
    ///
    /// If there isn't one prediction per label, or one of them is not below `classes`.
    #[must_use]
    pub fn new(labels: &[usize], predicted: &[usize], classes: usize) -> Self {
        assert_eq!(labels.len(), predicted.len(), "expected one prediction for each label");
        let mut rows = vec![vec![0; classes]; classes];
        for (&label, &predicted) in labels.iter().zip(predicted) {
            rows[label][predicted] += 1;
        }
        Self { rows }
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.rows.len()
    }

    /// How many images of `class` were taken for `predicted`.
    ///
    /// # Panics
    ///
    /// If there is no such class.
    #[must_use]
    pub fn count(&self, class: usize, predicted: usize) -> usize {
        self.rows[class][predicted]
    }

    /// All counts: a row for each true class, a column for each predicted one.
    #[must_use]
    pub fn rows(&self) -> &[Vec<usize>] {
        &self.rows
    }

    /// Images of `class`.
    pub(super) fn images(&self, class: usize) -> usize {
        self.rows[class].iter().sum()
    }

    /// Images taken for `class`.
    pub(super) fn predicted(&self, class: usize) -> usize {
        self.rows.iter().map(|row| row[class]).sum()
    }

    /// The confusions, most frequent first, without those that never happened.
    #[must_use]
    pub fn most_confused(&self) -> Vec<Confusion> {
        let mut confusions: Vec<Confusion> = (0..self.classes())
            .flat_map(|class| (0..self.classes()).map(move |predicted| (class, predicted)))
            .filter(|(class, predicted)| class != predicted)
            .map(|(class, predicted)| Confusion {
                class,
                predicted,
                images: self.count(class, predicted),
            })
            .filter(|confusion| confusion.images > 0)
            .collect();
        confusions.sort_by_key(|confusion| std::cmp::Reverse(confusion.images));
        confusions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_confusion_comes_first() {
        let matrix = ConfusionMatrix::new(&[0, 1, 1, 1, 2], &[2, 0, 0, 1, 2], 3);
        let found = matrix.most_confused();
        assert_eq!(found[0], Confusion { class: 1, predicted: 0, images: 2 });
        assert_eq!(found[1], Confusion { class: 0, predicted: 2, images: 1 });
        assert_eq!(found.len(), 2);
    }
}
