//! From features to figures.

use burn::tensor::Device;

use crate::error::EvalError;
use crate::labelled_features::LabelledFeatures;
use crate::predictions::Predictions;
use crate::protocol::Protocol;
use crate::report::{Evaluated, Report};

/// The figures of an evaluation, and the predictions behind them.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The figures.
    pub report: Report,
    /// The scores of every test image.
    pub predictions: Predictions,
}

/// Classifies the images of `test` by what `protocol` learns from `train`.
///
/// Both sets are labelled by their type: an image without a label has no place in
/// [`LabelledFeatures`], and [`embed`](crate::embed) refuses it by name.
///
/// # Errors
///
/// [`EvalError`] for settings out of range, and features that cannot be learnt from or compared.
///
/// ```
/// use burn::tensor::Device;
/// use simclr_eval::{Features, Knn, LabelledFeatures, LogisticRegression, Protocol, evaluate};
///
/// let set = |values: &[f32], labels: &[usize]| LabelledFeatures {
///     features: Features::new(values.to_vec(), 2),
///     labels: labels.to_vec(),
/// };
/// let train = set(&[1.0, 0.0, 0.9, 0.2, 0.1, 1.0, 0.0, 0.8], &[0, 0, 1, 1]);
/// let test = set(&[0.8, 0.1, 0.2, 0.9], &[0, 1]);
/// let names = ["wide", "tall"].map(str::to_owned);
///
/// let protocols: [&dyn Protocol; 2] =
///     [&Knn { k: 2, temperature: 0.1 }, &LogisticRegression::default()];
/// for protocol in protocols {
///     let report = evaluate(protocol, &train, &test, &names, &Device::flex())?.report;
///     assert_eq!(report.top1, 1.0);
///     println!("{report}"); // what was evaluated, the figures, a line per class
/// }
/// # Ok::<(), simclr_eval::EvalError>(())
/// ```
pub fn evaluate(
    protocol: &dyn Protocol,
    train: &LabelledFeatures,
    test: &LabelledFeatures,
    class_names: &[String],
    device: &Device,
) -> Result<Evaluation, EvalError> {
    test.check_count()?;
    let predictions = protocol.predict(train, &test.features, device)?;
    let evaluated = Evaluated {
        protocol: protocol.describe(),
        layer: train.features.layer(),
        feature_size: train.features.size(),
        standardized: protocol.standardizes(),
        train_images: train.labels.len(),
        test_images: test.labels.len(),
    };
    let report = Report::new(evaluated, &predictions, &test.labels, class_names)?;
    Ok(Evaluation { report, predictions })
}
