//! Images and settings that cannot be learnt from.

use std::sync::Arc;

use simclr_data::{Labelled, Subset};
use simclr_eval::{
    EvalError, FineTune, FineTuneConfig, FineTuneOptimizer, LinearStart, LogisticRegressionConfig,
};

use crate::support::{Flawed, fit, labelled, message, pictures, quick};

#[test]
fn an_image_without_a_label_is_refused_by_name() {
    let images = Flawed { unlabelled: Some(17), ..Flawed::without(vec![]) };
    let expected = "expected a label for every image to evaluate, found none for sample/chevron/17";
    assert_eq!(message(quick(), &images), expected);
}

#[test]
fn images_that_cannot_be_read_are_left_out_and_named_whatever_the_start() {
    for start in [LinearStart::Zero, quick().start] {
        let images = Flawed::without(vec![3, 30]);
        let tuned = fit(FineTuneConfig { start, ..quick() }, &images).unwrap();
        let skipped: Vec<String> = tuned.skipped.iter().map(ToString::to_string).collect();
        assert_eq!((tuned.train_images, skipped.len()), (38, 2));
        assert!(skipped[0].contains("sample/triangle/3"), "{skipped:?}");
    }
    let none = FineTuneConfig { start: LinearStart::Zero, ..quick() };
    let expected = "expected at least one image in the training set, found none";
    assert_eq!(message(none, &Flawed::without((0..40).collect())), expected);
}

#[test]
fn sets_without_anything_to_tell_apart_are_refused() {
    let train = labelled(40).train;
    let of = |indices: &[usize]| Subset::new(Arc::clone(&train), indices.to_vec()).unwrap();
    let expected = "expected at least one image in the training set, found none";
    assert_eq!(message(quick(), &of(&[])), expected);
    let expected = "expected examples of at least two classes, found class 4 alone";
    assert_eq!(message(quick(), &of(&[4, 14])), expected);
}

#[test]
fn classes_without_examples_are_never_likely() {
    let Labelled { train, test } = labelled(40);
    for start in [LinearStart::Zero, quick().start] {
        let three = Subset::new(Arc::clone(&train), vec![0, 1, 2, 10, 11, 12]).unwrap();
        let tuned = fit(FineTuneConfig { start, weight_decay: 0.1, ..quick() }, &three).unwrap();
        assert_eq!(tuned.classifier.class_names().len(), 10);
        let predictions = tuned.classifier.predict(&pictures(&test)).unwrap();
        assert!(predictions.rows().all(|scores| scores[3..].iter().all(|&score| score == 0.0)));
    }
}

#[test]
fn a_rate_that_is_far_too_high_is_an_error_that_says_so() {
    let config = FineTuneConfig { optimizer: FineTuneOptimizer::Nesterov, ..quick() };
    for epochs in [1, 3] {
        let config = FineTuneConfig { epochs, learning_rate: 1e30, batch_size: 20, ..config };
        let error = fit(config, &labelled(40).train).unwrap_err();
        assert!(matches!(error, EvalError::Diverged { epoch: 1, .. }), "{error}");
        assert!(error.to_string().starts_with("expected a finite loss, found "), "{error}");
    }
}

#[test]
fn settings_out_of_range_are_named() {
    type Config = FineTuneConfig;
    let good = quick();
    let probe = LogisticRegressionConfig { c: 0.0, ..LogisticRegressionConfig::default() };
    let shares = "two ascending shares in 0..=1, above 0";
    for (config, expected) in [
        (Config { epochs: 0, ..good }, "epochs to be at least 1, found 0"),
        (Config { batch_size: 0, ..good }, "batch_size to be at least 1, found 0"),
        (
            Config { learning_rate: f64::NAN, ..good },
            "learning_rate to be finite and positive, found NaN",
        ),
        (
            Config { weight_decay: -1.0, ..good },
            "weight_decay to be finite and at least 0, found -1",
        ),
        (
            Config { crop_area: [0.0, 1.0], ..good },
            &format!("crop_area to be {shares}, found [0.0, 1.0]"),
        ),
        (
            Config { crop_area: [0.6, 0.5], ..good },
            &format!("crop_area to be {shares}, found [0.6, 0.5]"),
        ),
        (
            Config { start: LinearStart::Probe(probe), ..good },
            "start.c to be finite and positive, found 0",
        ),
    ] {
        let message = FineTune::new(config).unwrap_err().to_string();
        assert_eq!(message, format!("expected {expected}"));
    }
}
