//! What all ways to evaluate frozen features have in common.

use simclr_embed::{Features, LabelledFeatures};

use crate::error::EvalError;
use crate::figures::Predictions;
use crate::linear_layer::LinearLayer;

/// A way to classify images by their features, from labelled examples: kNN or a linear probe.
///
/// [`evaluate`](crate::evaluate) makes figures of it.
pub trait Protocol {
    /// Learns from the features of the training set.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] for features that cannot be learnt from, [`EvalError::OneClass`] for a probe that has
    /// nothing to tell apart.
    fn fit<'a>(&'a self, train: &'a LabelledFeatures) -> Result<Box<dyn Fitted + 'a>, EvalError>;

    /// The method and its settings, in words.
    fn describe(&self) -> String;

    /// Whether features are brought to mean 0 and standard deviation 1 first.
    fn standardizes(&self) -> bool;

    /// Scores of every class for the images of the test set, by what is learnt from the training set.
    ///
    /// # Errors
    ///
    /// Those of [`fit`](Self::fit) and of [`Fitted::predict`].
    fn predict(&self, train: &LabelledFeatures, test: &Features) -> Result<Predictions, EvalError> {
        self.fit(train)?.predict(test)
    }

    /// The share of the test set whose class has the highest score, in 0..=1.
    ///
    /// # Errors
    ///
    /// Those of [`predict`](Self::predict).
    fn top1(&self, train: &LabelledFeatures, test: &LabelledFeatures) -> Result<f64, EvalError> {
        Ok(self.predict(train, test.features())?.accuracy(test.labels(), 1))
    }
}

/// What a [`Protocol`] has learnt.
pub trait Fitted {
    /// Scores of every class for each feature vector.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] for features of another length, or that are NaN or infinite.
    fn predict(&self, test: &Features) -> Result<Predictions, EvalError>;

    /// The linear layer that predicts, for a [`Classifier`](crate::Classifier) that says the same; `None` if none does.
    fn linear_layer(&self) -> Option<&LinearLayer> {
        None
    }
}

impl Fitted for LinearLayer {
    fn predict(&self, test: &Features) -> Result<Predictions, EvalError> {
        LinearLayer::predict(self, test)
    }

    fn linear_layer(&self) -> Option<&LinearLayer> {
        Some(self)
    }
}
