//! What fine-tuning gives.

use burn::tensor::Tensor;
use simclr_data::{DataError, ImageDataset};
use simclr_model::Encoder;

use crate::classifier::Classifier;
use crate::error::EvalError;
use crate::evaluation::Evaluation;
use crate::labelled_features::{LabelledFeatures, embed};
use crate::layer::Layer;
use crate::report::{Evaluated, Report};

/// A network that was [fine-tuned](crate::FineTune), and how that went.
#[derive(Debug)]
#[non_exhaustive]
pub struct FineTuned<E> {
    /// The fine-tuned encoder with its linear layer, in its evaluation state.
    pub classifier: Classifier<E>,
    /// Passes over the images: as many as were asked for, unless it was stopped.
    pub epochs: usize,
    /// The mean cross-entropy of the last epoch, in nats.
    pub loss: f64,
    /// Labelled images that were learnt from.
    pub train_images: usize,
    /// The images that could not be read, and were left out.
    pub skipped: Vec<DataError>,
    /// The method and its settings, in words.
    pub(crate) protocol: String,
}

impl<E: Encoder<Input = Tensor<4>>> FineTuned<E> {
    /// Classifies labelled images, none of which was learnt from, each in its evaluation view. Images
    /// that cannot be read are left out.
    ///
    /// # Errors
    ///
    /// Those of [`embed`] (an image without a label among them); [`EvalError::NotFinite`] for features
    /// that are no numbers.
    pub fn evaluate(&self, images: &dyn ImageDataset) -> Result<Evaluation, EvalError> {
        let Classifier { encoder, transform, device, .. } = &self.classifier;
        self.evaluate_features(&embed(encoder, images, transform, device)?.labelled)
    }

    /// [`evaluate`](Self::evaluate) on features that [`embed`] has computed by the fine-tuned encoder, for those who
    /// want to know which images they are of.
    ///
    /// # Errors
    ///
    /// [`EvalError::FeatureSize`] for features of another length, [`EvalError::NotFinite`] for features that
    /// are no numbers.
    pub fn evaluate_features(&self, test: &LabelledFeatures) -> Result<Evaluation, EvalError> {
        let Classifier { layer, class_names, .. } = &self.classifier;
        test.features.check("test")?;
        let predictions = layer.predict(&test.features)?;
        let evaluated = Evaluated {
            protocol: self.protocol.clone(),
            layer: Layer::Encoder,
            feature_size: layer.feature_size(),
            standardized: false,
            train_images: self.train_images,
            test_images: test.labels.len(),
        };
        let report = Report::new(evaluated, &predictions, &test.labels, class_names)?;
        Ok(Evaluation { report, predictions })
    }
}
