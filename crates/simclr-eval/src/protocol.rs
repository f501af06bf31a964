//! What all ways to evaluate frozen features have in common.

use burn::tensor::Device;

use crate::error::EvalError;
use crate::features::Features;
use crate::labelled_features::LabelledFeatures;
use crate::predictions::Predictions;

/// A way to classify images by their features, from labelled examples: kNN or a linear probe.
///
/// [`evaluate`](crate::evaluate) makes figures of it.
pub trait Protocol {
    /// Scores of every class for each query.
    ///
    /// # Errors
    ///
    /// [`EvalError`] for settings out of range, or features that cannot be learnt from or compared.
    fn predict(
        &self,
        train: &LabelledFeatures,
        test: &Features,
        device: &Device,
    ) -> Result<Predictions, EvalError>;

    /// The method and its settings, in words.
    fn describe(&self) -> String;

    /// Whether features are brought to mean 0 and standard deviation 1 first.
    fn standardizes(&self) -> bool;
}
