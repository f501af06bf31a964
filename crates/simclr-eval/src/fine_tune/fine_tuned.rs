//! What fine-tuning gives.

use burn::tensor::Tensor;
use simclr_data::{DataError, ImageDataset};
use simclr_embed::{FeatureSource, LabelledFeatures};
use simclr_model::{Encoder, ImageEncoder};

use crate::classifier::Classifier;
use crate::error::EvalError;
use crate::evaluation::Evaluation;
use crate::figures::{Evaluated, Report};

/// A network that was [fine-tuned](crate::FineTune), and how that went.
#[derive(Debug)]
#[non_exhaustive]
pub struct FineTuned<E = ImageEncoder> {
    /// The fine-tuned encoder with its linear layer, in its evaluation state.
    pub classifier: Classifier<E>,
    /// Passes over the images: as many as were asked for, unless training was stopped.
    pub epochs: usize,
    /// The mean cross-entropy of the last epoch, in nats.
    pub loss: f64,
    /// Images of the training set that could be read.
    pub train_images: usize,
    /// The images that could not be read, and were left out.
    pub skipped: Vec<DataError>,
    /// The method and its settings, in words.
    pub(super) protocol: String,
}

impl<E: Encoder<Input = Tensor<4>>> FineTuned<E> {
    /// Classifies the images of a test set, none of which is in the training set, each in its evaluation view. Images
    /// that cannot be read are left out.
    ///
    /// # Errors
    ///
    /// Those of [`Embedder::embed_labelled`](simclr_embed::Embedder::embed_labelled) and
    /// [`evaluate_features`](Self::evaluate_features).
    pub fn evaluate(&self, test: &dyn ImageDataset) -> Result<Evaluation, EvalError> {
        self.evaluate_features(&self.classifier.embedder().embed_labelled(test)?.labelled)
    }

    /// [`evaluate`](Self::evaluate) on features that the [classifier's embedder](Classifier::embedder) has computed,
    /// for those who want to know which images were left out.
    ///
    /// # Errors
    ///
    /// [`EvalError::Embed`] for features of another length, without images, or that are NaN or infinite.
    pub fn evaluate_features(&self, test: &LabelledFeatures) -> Result<Evaluation, EvalError> {
        let layer = self.classifier.layer();
        let predictions = layer.predict(test.features())?;
        let evaluated = Evaluated {
            protocol: self.protocol.clone(),
            source: FeatureSource::Encoder,
            feature_size: layer.feature_size(),
            standardized: false,
            train_images: self.train_images,
            test_images: test.len(),
        };
        let class_names = self.classifier.class_names();
        let report = Report::new(evaluated, &predictions, test.labels(), class_names)?;
        Ok(Evaluation { report, predictions, layer: Some(layer.clone()) })
    }
}
