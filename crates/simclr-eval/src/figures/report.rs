//! The figures of an evaluation, and what was evaluated.

use std::fmt;

use serde::{Deserialize, Serialize};
use simclr_data::printable;
use simclr_embed::{EmbedError, FeatureSource};

use super::confusion_matrix::ConfusionMatrix;
use super::predictions::Predictions;
use crate::error::EvalError;

/// The most confusions that are printed.
const PRINTED_CONFUSIONS: usize = 5;

/// What was evaluated, and on how many images: without it, two figures cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluated {
    /// The method and its settings, in words.
    pub protocol: String,
    /// Where the feature vectors come from.
    pub source: FeatureSource,
    /// Their length.
    pub feature_size: usize,
    /// Whether each feature was first brought to mean 0 and standard deviation 1 over the training set.
    pub standardized: bool,
    /// Images of the training set.
    pub train_images: usize,
    /// Images of the test set, none of which is in the training set.
    pub test_images: usize,
}

/// How well images were classified. Shares are in 0..=1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// What was evaluated, and on how many images.
    pub evaluated: Evaluated,
    /// Share of images whose class has the highest score.
    pub top1: f64,
    /// Share of images whose class is among the five highest; `None` for five classes or fewer.
    pub top5: Option<f64>,
    /// Mean of the classes' recalls: top-1 as if all classes had the same number of images.
    pub balanced_accuracy: f64,
    /// Mean of the classes' F1 scores.
    pub macro_f1: f64,
    /// The figures of each class, in the order of the labels.
    pub per_class: Vec<ClassFigures>,
    /// Which classes were taken for which.
    pub confusion: ConfusionMatrix,
}

/// How well one class is recognised. Shares are in 0..=1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClassFigures {
    /// Its name.
    pub class: String,
    /// Number of its test images.
    pub images: usize,
    /// Share of the images taken for the class that belong to it; `None` if no image was taken for it.
    pub precision: Option<f64>,
    /// Share of its images that were recognised, which is the class's accuracy; `None` if it has no test images.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN); `None` if the class has no test images and no
    /// image was taken for it.
    pub f1: Option<f64>,
}

impl Report {
    /// The figures of `predictions` for images whose classes are `labels`. Classes beyond `class_names`
    /// are called by their number.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] without predictions, or unless there is one label for each of them.
    pub fn new(
        evaluated: Evaluated,
        predictions: &Predictions,
        labels: &[usize],
        class_names: &[String],
    ) -> Result<Self, EvalError> {
        if predictions.is_empty() {
            return Err(EmbedError::NoImages { set: "test set" }.into());
        }
        EmbedError::check_count("one label", "predictions", predictions.len(), labels.len())?;
        let labelled = labels.iter().max().map_or(0, |&label| label + 1);
        let classes = labelled.max(predictions.classes()).max(class_names.len());
        let confusion = ConfusionMatrix::new(labels, &predictions.top1(), classes);
        let name = |class: usize| {
            class_names.get(class).cloned().unwrap_or_else(|| format!("class {class}"))
        };
        let per_class: Vec<_> =
            (0..classes).map(|class| ClassFigures::new(name(class), class, &confusion)).collect();
        Ok(Self {
            evaluated,
            top1: predictions.accuracy(labels, 1),
            top5: (classes > 5).then(|| predictions.accuracy(labels, 5)),
            balanced_accuracy: mean(per_class.iter().filter_map(|figures| figures.recall)),
            macro_f1: mean(per_class.iter().filter_map(|figures| figures.f1)),
            per_class,
            confusion,
        })
    }
}

impl ClassFigures {
    fn new(name: String, class: usize, confusion: &ConfusionMatrix) -> Self {
        let right = confusion.count(class, class);
        let (images, predicted) = (confusion.images(class), confusion.predicted(class));
        let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
        Self {
            class: name,
            images,
            precision: share(right, predicted),
            recall: share(right, images),
            f1: share(2 * right, images + predicted),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

impl fmt::Display for Evaluated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, source, feature_size, train_images, test_images, .. } = self;
        let standardized = if self.standardized { ", standardised" } else { "" };
        write!(f, "{protocol}; {source}, {feature_size} features{standardized}; ")?;
        write!(f, "{train_images} training images, {test_images} test images")
    }
}

/// A few lines for people: what was evaluated, the figures, a line per class, and what is confused most.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.evaluated)?;
        write!(f, "top-1 {}", percent(Some(self.top1)))?;
        if let Some(top5) = self.top5 {
            write!(f, ", top-5 {}", percent(Some(top5)))?;
        }
        let [balanced, f1] = [self.balanced_accuracy, self.macro_f1].map(|x| percent(Some(x)));
        writeln!(f, ", mean over classes {balanced}, macro F1 {f1}\n")?;

        let names: Vec<String> = self.per_class.iter().map(|c| printable(&c.class)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
        writeln!(f, "{:<width$}  images  precision   recall       F1", "class")?;
        for (name, figures) in names.iter().zip(&self.per_class) {
            let [precision, recall, f1] =
                [figures.precision, figures.recall, figures.f1].map(percent);
            let images = figures.images;
            writeln!(f, "{name:<width$}  {images:>6}  {precision:>9}  {recall:>7}  {f1:>7}")?;
        }
        let confusions = self.confusion.most_confused();
        if !confusions.is_empty() {
            writeln!(f, "\nmost confused")?;
        }
        for confusion in confusions.iter().take(PRINTED_CONFUSIONS) {
            let (class, predicted) = (&names[confusion.class], &names[confusion.predicted]);
            writeln!(f, "{class:<width$}  {:>6} taken for {predicted}", confusion.images)?;
        }
        Ok(())
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluated() -> Evaluated {
        Evaluated {
            protocol: "kNN, k = 5".to_owned(),
            source: FeatureSource::Encoder,
            feature_size: 16,
            standardized: false,
            train_images: 10,
            test_images: 4,
        }
    }

    /// Certain predictions of these classes.
    fn predictions(predicted: &[usize], classes: usize) -> Predictions {
        let mut scores = vec![0.0; predicted.len() * classes];
        for (row, &class) in predicted.iter().enumerate() {
            scores[row * classes + class] = 1.0;
        }
        Predictions::new(scores, classes)
    }

    #[test]
    fn a_class_that_nothing_is_taken_for_has_no_precision_and_an_f1_of_zero() {
        let report =
            Report::new(evaluated(), &predictions(&[0, 0, 0, 0], 2), &[0, 0, 0, 1], &[]).unwrap();
        assert_eq!(report.per_class[1].precision, None);
        assert_eq!((report.per_class[1].recall, report.per_class[1].f1), (Some(0.0), Some(0.0)));
        assert_eq!((report.top1, report.balanced_accuracy, report.top5), (0.75, 0.5, None));
    }

    #[test]
    fn classes_without_test_images_count_in_no_mean() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let report = Report::new(evaluated(), &predictions(&[0, 1], 2), &[0, 1], &names).unwrap();
        assert_eq!(report.per_class[2].f1, None);
        assert_eq!((report.balanced_accuracy, report.macro_f1), (1.0, 1.0));
    }

    #[test]
    fn it_prints_what_was_evaluated_and_escapes_names() {
        let names = ["cat\x1b[2J", "dog"].map(str::to_owned);
        let report =
            Report::new(evaluated(), &predictions(&[0, 0, 1, 1], 2), &[0, 0, 0, 1], &names)
                .unwrap();
        let expected = "\
kNN, k = 5; h (encoder), 16 features; 10 training images, 4 test images
top-1 75.0 %, mean over classes 83.3 %, macro F1 73.3 %

class         images  precision   recall       F1
cat\\u{1b}[2J       3    100.0 %   66.7 %   80.0 %
dog                1     50.0 %  100.0 %   66.7 %

most confused
cat\\u{1b}[2J       1 taken for dog
";
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn a_report_survives_json() {
        let report =
            Report::new(evaluated(), &predictions(&[0, 2, 1], 3), &[0, 1, 1], &[]).unwrap();
        let json = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }

    #[test]
    fn labels_and_predictions_must_go_together() {
        let message = |predictions: &Predictions, labels: &[usize]| {
            Report::new(evaluated(), predictions, labels, &[]).unwrap_err().to_string()
        };
        assert_eq!(
            message(&predictions(&[0, 1], 2), &[0]),
            "expected one label for each of 2 predictions, found 1"
        );
        assert_eq!(
            message(&predictions(&[], 2), &[]),
            "expected at least one image in the test set, found none"
        );
    }
}
