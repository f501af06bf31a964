//! Accuracies before and after pretraining.

use simclr_train::Summary;

use crate::images::LabelledParts;
use crate::numbers::percent;

/// Names of the stages, from first to last.
pub(crate) const RANDOM: &str = "random weights";
pub(crate) const FIRST: &str = "first weights";
pub(crate) const AFTER: &str = "after pretraining";

/// Accuracies of several features on the same images: of random weights last but one, of the trained encoder last.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stages {
    pub(crate) images: LabelledParts,
    pub(crate) rows: Vec<Stage>,
}

/// Top-1 on some features, in 0..=1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stage {
    /// What the features are.
    pub(crate) name: String,
    /// `None` if it was not measured.
    pub(crate) knn: Option<f64>,
    /// `None` if it was not measured, or all images are of one class.
    pub(crate) linear: Option<f64>,
}

impl Stages {
    /// What the run itself measured, on the labelled images that its monitor looked at; `None` without labels.
    pub(crate) fn of_run(summary: &Summary, images: LabelledParts, first: &str) -> Option<Self> {
        let &Summary { knn_top1_initial, knn_top1, linear_probe, .. } = summary;
        let before = Stage { name: first.to_owned(), knn: knn_top1_initial, linear: None };
        let after = Stage { name: AFTER.to_owned(), knn: knn_top1, linear: linear_probe };
        let rows = vec![before, after];
        let measured = rows.iter().any(|row| row.knn.is_some() || row.linear.is_some());
        measured.then_some(Self { images, rows })
    }

    /// The trained encoder, and the stage before it.
    pub(crate) fn after_and_before(&self) -> (&Stage, &Stage) {
        let [.., before, after] = self.rows.as_slice() else {
            panic!("expected two stages, found {}", self.rows.len())
        };
        (after, before)
    }

    /// Whether `other` holds the same figures, as the page prints them, for all images.
    pub(crate) fn are_in(&self, other: &Self) -> bool {
        let same = |a: Option<f64>, b: Option<f64>| a.is_none() || percent(a) == percent(b);
        let row_in = |row: &Stage| {
            let mut others = other.rows.iter().filter(|other| other.name == row.name);
            others.any(|other| same(row.knn, other.knn) && same(row.linear, other.linear))
        };
        other.images.are_whole() && self.rows.iter().all(row_in)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Part;

    fn stages(images: LabelledParts, figures: [(&str, Option<f64>, Option<f64>); 2]) -> Stages {
        let row = |(name, knn, linear): (&str, _, _)| Stage { name: name.to_owned(), knn, linear };
        Stages { images, rows: figures.map(row).to_vec() }
    }

    fn all() -> LabelledParts {
        let all = |images| Part { images, skipped: 0, of: images };
        LabelledParts { train: all(100), test: all(50) }
    }

    #[test]
    fn figures_that_print_alike_are_the_same_and_missing_ones_are_no_difference() {
        let run = [("random weights", Some(0.31), None), (AFTER, Some(0.44714), None)];
        let page = [("random weights", Some(0.31), Some(0.4)), (AFTER, Some(0.44708), Some(0.5))];
        assert!(stages(all(), run).are_in(&stages(all(), page)));
        let other = [("random weights", Some(0.31), None), (AFTER, Some(0.446), None)];
        assert!(!stages(all(), other).are_in(&stages(all(), page)));
    }

    #[test]
    fn figures_of_a_part_are_other_figures_even_if_they_print_alike() {
        let figures = [("random weights", Some(0.31), None), (AFTER, Some(0.44), None)];
        let test = Part { images: 20, skipped: 0, of: 50 };
        let part = LabelledParts { test, ..all() };
        assert!(!stages(all(), figures).are_in(&stages(part, figures)));
        let unreadable = LabelledParts { test: Part { skipped: 30, ..test }, ..all() };
        assert!(stages(all(), figures).are_in(&stages(unreadable, figures)));
    }

    #[test]
    fn weights_from_a_file_are_not_random_weights() {
        let run = [("first weights", Some(0.31), None), (AFTER, Some(0.44), None)];
        let page = [("random weights", Some(0.31), None), (AFTER, Some(0.44), None)];
        assert!(!stages(all(), run).are_in(&stages(all(), page)));
    }
}
