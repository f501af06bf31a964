//! Evaluation of an image encoder while it trains.

use burn::tensor::{Device, Tensor};
use simclr_augment::EvaluationTransform;
use simclr_data::Labelled;
use simclr_embed::{Embedder, LabelledFeatures};
use simclr_eval::{EvalError, Knn, LogisticRegression, Protocol};
use simclr_model::Encoder;

use crate::watch::monitor::{Monitor, Observation};

/// Evaluates an encoder on labelled images: by weighted kNN ([`Knn`]) before the first epoch and after each, and by a
/// linear probe ([`LogisticRegression`]) after the last.
pub struct ImageMonitor {
    labelled: Labelled,
    transform: EvaluationTransform,
    device: Device,
}

impl ImageMonitor {
    /// A monitor on `device`, which must be the encoder's.
    #[must_use]
    pub fn new(labelled: Labelled, transform: EvaluationTransform, device: &Device) -> Self {
        Self { labelled, transform, device: device.clone() }
    }
}

impl<E: Encoder<Input = Tensor<4>>> Monitor<E> for ImageMonitor {
    fn observe(&self, encoder: &E) -> Result<Box<dyn Observation>, EvalError> {
        let embedder = Embedder::new(encoder.clone(), self.transform.clone(), &self.device);
        let train = embedder.embed_labelled(&self.labelled.train)?.labelled;
        let test = embedder.embed_labelled(&self.labelled.test)?.labelled;
        Ok(Box::new(EmbeddedImages { train, test, device: self.device.clone() }))
    }
}

struct EmbeddedImages {
    train: LabelledFeatures,
    test: LabelledFeatures,
    device: Device,
}

impl Observation for EmbeddedImages {
    fn knn_top1(&self) -> Result<f64, EvalError> {
        let knn = Knn::for_training_images(self.train.len(), &self.device);
        knn.top1(&self.train, &self.test)
    }

    /// [`LogisticRegression`] with its default settings; `None` if all training images are of one class.
    fn linear_probe(&self) -> Result<Option<f64>, EvalError> {
        let probe = LogisticRegression::default();
        match probe.fit(&self.train) {
            Ok(fit) => {
                let predictions = fit.layer.predict(self.test.features())?;
                Ok(Some(predictions.accuracy(self.test.labels(), 1)))
            }
            Err(EvalError::OneClass { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
