//! How good the features are, in figures, beside none and random ones.

use std::collections::BTreeMap;

use burn::tensor::Device;
use simclr_augment::EvaluationTransform;
use simclr_embed::{Embedder, LabelledFeatures, raw_pixels};
use simclr_eval::{
    Confusion, EvalError, Evaluation, Knn, LogisticRegression, LogisticRegressionConfig,
    Predictions, Protocol, Report, evaluate,
};

use crate::error::ReportError;
use crate::gallery::Gallery;
use crate::neighbour_rows::Shown;

/// Steps of the linear probe on raw pixels: neighbouring pixels say the same, so that L-BFGS would take
/// minutes to its optimum.
const RAW_PIXEL_STEPS: usize = 100;
/// Raw pixels are compared at this size at most, for the same reason.
const RAW_PIXEL_SIDE: u32 = 48;
/// Confused pairs that are shown, and images of each.
const PAIRS: usize = 6;
const EXAMPLES: usize = 5;

/// What labelled images say of the encoder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Quality {
    /// By kNN.
    pub(crate) knn: Report,
    /// By a linear layer; `None` if all labelled images are of one class.
    pub(crate) linear: Option<Report>,
    /// Raw pixels, random weights, and the trained encoder, in this order.
    pub(crate) stages: Vec<Stage>,
    pub(crate) confused: Vec<ConfusedPair>,
}

/// Top-1 of the same protocols on some features, in 0..=1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) knn: f64,
    pub(crate) linear: Option<f64>,
}

/// Images of one class that were taken for another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConfusedPair {
    pub(crate) confusion: Confusion,
    /// Test images of the class.
    pub(crate) of: usize,
    pub(crate) examples: Vec<Shown>,
}

/// The two labelled sets of one kind of features.
struct Sets {
    train: LabelledFeatures,
    test: LabelledFeatures,
}

impl Quality {
    /// Of the galleries' own features, beside those of `untrained` and the images themselves.
    pub(crate) fn new(
        [train, test]: [&Gallery; 2],
        untrained: &Embedder,
    ) -> Result<Self, ReportError> {
        let (transform, device) = (untrained.transform(), untrained.device());
        let names = train.class_names();
        let probe = LogisticRegression::default();
        let trained = Sets {
            train: train.labelled(train.features.clone())?,
            test: test.labelled(test.features.clone())?,
        };
        let random = Sets {
            train: train.labelled(train.with(untrained)?)?,
            test: test.labelled(test.with(untrained)?)?,
        };
        let small = small(transform)?;
        let raw = Sets {
            train: raw_pixels(&train.readable()?, &small)?.labelled,
            test: raw_pixels(&test.readable()?, &small)?.labelled,
        };
        let limited = LogisticRegression::new(LogisticRegressionConfig {
            max_iterations: RAW_PIXEL_STEPS,
            ..LogisticRegressionConfig::default()
        })
        .map_err(EvalError::from)?;
        let side = small.size();

        let knn = trained.knn(names, device)?;
        let linear = trained.linear(&probe, names)?;
        let stages = vec![
            raw.stage(format!("raw pixels, {side} × {side}"), &limited, device)?,
            random.stage("random weights".to_owned(), &probe, device)?,
            Stage {
                name: "after pretraining".to_owned(),
                knn: knn.report.top1,
                linear: linear.as_ref().map(|linear| linear.report.top1),
            },
        ];
        let judged = linear.as_ref().unwrap_or(&knn);
        let confused = confused(judged, trained.test.labels(), test, transform)?;
        let (knn, linear) = (knn.report, linear.map(|linear| linear.report));
        Ok(Self { knn, linear, stages, confused })
    }
}

/// The transform to raw pixels.
fn small(transform: &EvaluationTransform) -> Result<EvaluationTransform, ReportError> {
    let side = transform.size().min(RAW_PIXEL_SIDE);
    Ok(EvaluationTransform::new(side, transform.filter(), transform.normalization().clone())?)
}

impl Sets {
    fn knn(&self, names: &[String], device: &Device) -> Result<Evaluation, EvalError> {
        let knn = Knn::for_training_images(self.train.len(), device);
        evaluate(&knn, &self.train, &self.test, names)
    }

    /// `None` if there is only one class to learn.
    fn linear(
        &self,
        probe: &LogisticRegression,
        names: &[String],
    ) -> Result<Option<Evaluation>, EvalError> {
        match evaluate(probe as &dyn Protocol, &self.train, &self.test, names) {
            Err(EvalError::OneClass { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    fn stage(
        &self,
        name: String,
        probe: &LogisticRegression,
        device: &Device,
    ) -> Result<Stage, EvalError> {
        let linear = self.linear(probe, &[])?;
        Ok(Stage {
            name,
            knn: self.knn(&[], device)?.report.top1,
            linear: linear.map(|linear| linear.report.top1),
        })
    }
}

/// The most frequent confusions, with the images that are most certainly taken for the other class.
fn confused(
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

/// The rows of each (class, predicted class) that are not the same, the most certain first.
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
