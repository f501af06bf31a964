//! From features to figures.

use simclr_embed::LabelledFeatures;

use crate::error::EvalError;
use crate::figures::{Evaluated, Predictions, Report};
use crate::linear_layer::LinearLayer;
use crate::protocol::Protocol;

/// The figures of an evaluation, and what they were measured on.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The figures.
    pub report: Report,
    /// The scores of every test image.
    pub predictions: Predictions,
    /// The linear layer that was measured, for a [`Classifier`](crate::Classifier); `None` for kNN.
    pub layer: Option<LinearLayer>,
}

/// Classifies the images of `test` by what `protocol` learns from `train`.
///
/// Both sets are labelled by their type: an image without a label has no place in [`LabelledFeatures`], and
/// [`Embedder::embed_labelled`](simclr_embed::Embedder::embed_labelled) refuses it by name.
///
/// # Errors
///
/// Those of [`Protocol::fit`] and [`Fitted::predict`](crate::Fitted::predict).
///
/// ```
/// use burn::tensor::Device;
/// use simclr_embed::{Features, LabelledFeatures};
/// use simclr_eval::{Knn, KnnConfig, LogisticRegression, Protocol, evaluate};
///
/// let set = |values: &[f32], labels: &[usize]| {
///     LabelledFeatures::new(Features::new(values.to_vec(), 2), labels.to_vec())
/// };
/// let train = set(&[1.0, 0.0, 0.9, 0.2, 0.1, 1.0, 0.0, 0.8], &[0, 0, 1, 1])?;
/// let test = set(&[0.8, 0.1, 0.2, 0.9], &[0, 1])?;
/// let names = ["wide", "tall"].map(str::to_owned);
///
/// let knn = Knn::new(KnnConfig { k: 2, temperature: 0.1 }, &Device::flex())?;
/// let protocols: [&dyn Protocol; 2] = [&knn, &LogisticRegression::default()];
/// for protocol in protocols {
///     let report = evaluate(protocol, &train, &test, &names)?.report;
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
) -> Result<Evaluation, EvalError> {
    let fitted = protocol.fit(train)?;
    let predictions = fitted.predict(test.features())?;
    let evaluated = Evaluated {
        protocol: protocol.describe(),
        source: train.features().source(),
        feature_size: train.features().size(),
        standardized: protocol.standardizes(),
        train_images: train.len(),
        test_images: test.len(),
    };
    let report = Report::new(evaluated, &predictions, test.labels(), class_names)?;
    Ok(Evaluation { report, predictions, layer: fitted.linear_layer().cloned() })
}
