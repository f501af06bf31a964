//! The images whose labels would teach most.

use simclr_embed::ExperimentalDesign;

use super::given_labels::GivenLabels;
use super::guesses::Guesses;

/// Labels for each class, on average, from which on the classifier has a say; before, it is undecided about the wrong images.
const ENOUGH: usize = 10;
/// How undecided an image counts at least: none is never asked for.
const LEAST: f32 = 1e-3;

/// `count` images to label, the most useful first, fewer if there are no more: by the design, and from some labels on by how undecided the classifier is.
pub(super) fn next_to_label(
    design: &ExperimentalDesign,
    labels: &GivenLabels,
    guesses: Option<&Guesses>,
    count: usize,
) -> Vec<usize> {
    let labelled: Vec<usize> = labels.given().map(|(row, _)| row).collect();
    let guesses = guesses.filter(|_| labelled.len() >= ENOUGH * labels.classes().len());
    let weight = |row: usize| {
        if labels.of()[row].is_some() || labels.aside()[row] {
            return 0.0;
        }
        let undecided = |guesses: &Guesses| (1.0 - guesses.margins[row]).max(LEAST);
        f64::from(guesses.map_or(1.0, undecided)).sqrt()
    };
    design.choose(&labelled, count, &weight)
}

#[cfg(test)]
mod tests {
    use simclr_embed::Features;

    use super::*;

    /// Points on a circle, and one label for each of two of them.
    fn design() -> (ExperimentalDesign, GivenLabels) {
        let points = (0..40).flat_map(|at| [(at as f32 / 6.4).cos(), (at as f32 / 6.4).sin()]);
        let mut labels = GivenLabels::new(40);
        labels.label(&[0], Some("a")).unwrap();
        labels.label(&[20], Some("b")).unwrap();
        (ExperimentalDesign::of_points(Features::new(points.collect(), 2)), labels)
    }

    /// Of a classifier that is sure of all but one image.
    fn guesses(undecided: usize) -> Guesses {
        let margins = (0..40).map(|row| if row == undecided { 0.0 } else { 0.999 });
        Guesses { classes: vec![0; 40], probabilities: vec![1.0; 40], margins: margins.collect() }
    }

    #[test]
    fn a_classifier_that_has_seen_little_has_no_say() {
        let (design, mut labels) = design();
        let without = next_to_label(&design, &labels, None, 3);
        assert_eq!(next_to_label(&design, &labels, Some(&guesses(21)), 3), without);
        assert!(without[0] != 21);
        labels.label(&(22..40).collect::<Vec<_>>(), Some("b")).unwrap();
        assert_eq!(next_to_label(&design, &labels, Some(&guesses(21)), 1), [21]);
    }

    #[test]
    fn what_is_labelled_or_set_aside_is_not_asked_for() {
        let (design, mut labels) = design();
        labels.set_aside(&[1, 2], true).unwrap();
        let mut all = next_to_label(&design, &labels, None, 100);
        all.sort_unstable();
        let rest = (0..40).filter(|row| ![0, 1, 2, 20].contains(row));
        assert_eq!(all, rest.collect::<Vec<_>>());
    }
}
