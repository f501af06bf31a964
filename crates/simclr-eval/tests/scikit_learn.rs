//! kNN and logistic regression against scikit-learn on the same features; `golden/generate.py` made its
//! figures.

use burn::tensor::Device;
use serde::Deserialize;
use simclr_embed::{Features, LabelledFeatures};
use simclr_eval::{
    Knn, KnnConfig, LogisticRegression, LogisticRegressionConfig, Predictions, Protocol, evaluate,
};

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    classes: usize,
    size: usize,
    train: Vec<f32>,
    train_labels: Vec<usize>,
    test: Vec<f32>,
    test_labels: Vec<usize>,
    knn: Vec<KnnCase>,
    logistic: Vec<LogisticCase>,
    figures_of_knn_2: Figures,
}

#[derive(Deserialize)]
struct Figures {
    top1: f64,
    top2: f64,
    balanced_accuracy: f64,
    macro_f1: f64,
    precision: Vec<f64>,
    recall: Vec<f64>,
    f1: Vec<f64>,
    support: Vec<usize>,
    confusion: Vec<Vec<usize>>,
}

#[derive(Deserialize)]
struct KnnCase {
    k: usize,
    temperature: f64,
    predicted: Vec<usize>,
    scores: Vec<f32>,
}

#[derive(Deserialize)]
struct LogisticCase {
    c: f64,
    standardize: bool,
    objective: f64,
    predicted: Vec<usize>,
    scores: Vec<f32>,
}

impl Case {
    fn train(&self) -> LabelledFeatures {
        let features = Features::new(self.train.clone(), self.size);
        LabelledFeatures::new(features, self.train_labels.clone()).unwrap()
    }

    fn test(&self) -> Features {
        Features::new(self.test.clone(), self.size)
    }
}

impl KnnCase {
    fn knn(&self) -> Knn {
        let config = KnnConfig { k: self.k, temperature: self.temperature };
        Knn::new(config, &Device::flex()).unwrap()
    }
}

fn cases() -> Vec<Case> {
    let golden: Golden = serde_json::from_str(include_str!("golden/scikit_learn.json"))
        .expect("the golden file is valid");
    golden.cases
}

fn assert_scores(name: &str, found: &Predictions, classes: usize, expected: &[f32], within: f32) {
    assert_eq!((found.classes(), found.len()), (classes, expected.len() / classes), "{name}");
    for (i, (found, expected)) in found.rows().flatten().zip(expected).enumerate() {
        assert!((found - expected).abs() < within, "{name}, score {i}: {found}, not {expected}");
    }
}

#[test]
fn knn_predicts_what_scikit_learn_does() {
    for case in cases() {
        for expected in &case.knn {
            let knn = expected.knn();
            let found = knn.predict(&case.train(), &case.test()).unwrap();
            let name = format!("{}, {}", case.name, knn.describe());
            assert_eq!(found.top1(), expected.predicted, "{name}");
            assert_scores(&name, &found, case.classes, &expected.scores, 1e-5);
        }
    }
}

#[test]
fn logistic_regression_reaches_scikit_learns_optimum() {
    for case in cases() {
        for expected in &case.logistic {
            let config = LogisticRegressionConfig {
                c: expected.c,
                standardize: expected.standardize,
                tolerance: 1e-8,
                max_iterations: 100_000,
            };
            let probe = LogisticRegression::new(config).unwrap();
            let fit = probe.fit(&case.train()).unwrap();
            let name = format!(
                "{}, C = {}, standardised {}, {} iterations",
                case.name, expected.c, expected.standardize, fit.iterations
            );
            assert!(fit.converged, "{name}");
            let off = (fit.objective - expected.objective).abs() / expected.objective;
            assert!(off < 1e-8, "{name}: {}, not {}", fit.objective, expected.objective);

            let found = fit.layer.predict(&case.test()).unwrap();
            assert_eq!(found.top1(), expected.predicted, "{name}");
            assert_scores(&name, &found, case.classes, &expected.scores, 2e-5);
        }
    }
}

#[test]
fn the_default_tolerance_is_within_half_a_point() {
    for case in cases() {
        for expected in case.logistic.iter().filter(|expected| expected.standardize) {
            let config =
                LogisticRegressionConfig { c: expected.c, ..LogisticRegressionConfig::default() };
            let probe = LogisticRegression::new(config).unwrap();
            let found = probe.predict(&case.train(), &case.test()).unwrap();
            let same = found.top1().iter().zip(&expected.predicted).filter(|(a, b)| a == b).count();
            assert_eq!(same, case.test_labels.len(), "{}, C = {}", case.name, expected.c);
        }
    }
}

#[test]
fn figures_per_class_are_scikit_learns() {
    for case in cases() {
        let (knn, expected) = (case.knn[2].knn(), &case.figures_of_knn_2);
        let test = LabelledFeatures::new(case.test(), case.test_labels.clone()).unwrap();
        let found = evaluate(&knn, &case.train(), &test, &[]).unwrap();

        let close = |name: &str, found: f64, expected: f64| {
            assert!((found - expected).abs() < 1e-9, "{}, {name}: {found}", case.name);
        };
        let report = &found.report;
        close("top-1", report.top1, expected.top1);
        close("top-2", found.predictions.accuracy(test.labels(), 2), expected.top2);
        close("balanced accuracy", report.balanced_accuracy, expected.balanced_accuracy);
        close("macro F1", report.macro_f1, expected.macro_f1);
        for (class, figures) in report.per_class.iter().enumerate() {
            close("precision", figures.precision.unwrap_or(0.0), expected.precision[class]);
            close("recall", figures.recall.unwrap_or(0.0), expected.recall[class]);
            close("F1", figures.f1.unwrap_or(0.0), expected.f1[class]);
            assert_eq!(figures.images, expected.support[class]);
        }
        assert_eq!(report.confusion.rows(), expected.confusion);
    }
}
