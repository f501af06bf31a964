//! Training and test set of one kind of features.

use burn::tensor::Device;
use simclr_embed::LabelledFeatures;
use simclr_eval::{EvalError, Evaluation, Knn, LogisticRegression, Protocol, evaluate};

use crate::quality::stages::Stage;

/// The same features of the images of both sets.
pub(crate) struct LabelledSets<'a> {
    pub(crate) train: LabelledFeatures,
    pub(crate) test: LabelledFeatures,
    pub(crate) class_names: &'a [String],
    pub(crate) device: &'a Device,
}

impl LabelledSets<'_> {
    pub(crate) fn knn(&self) -> Result<Evaluation, EvalError> {
        self.evaluate(&Knn::for_training_images(self.train.len(), self.device))
    }

    /// `None` if all training images are of one class.
    pub(crate) fn linear(
        &self,
        probe: &LogisticRegression,
    ) -> Result<Option<Evaluation>, EvalError> {
        match self.evaluate(probe) {
            Err(EvalError::OneClass { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Both accuracies under a name.
    pub(crate) fn stage(
        &self,
        name: impl Into<String>,
        probe: &LogisticRegression,
    ) -> Result<Stage, EvalError> {
        let linear = self.linear(probe)?;
        Ok(Stage {
            name: name.into(),
            knn: Some(self.knn()?.report.top1),
            linear: linear.map(|linear| linear.report.top1),
        })
    }

    fn evaluate(&self, protocol: &dyn Protocol) -> Result<Evaluation, EvalError> {
        evaluate(protocol, &self.train, &self.test, self.class_names)
    }
}
