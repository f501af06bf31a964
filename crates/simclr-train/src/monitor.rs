//! Watching an encoder learn, by asking its features for the class of held-out images.

use burn::tensor::{Device, Tensor};
use simclr_augment::EvaluationTransform;
use simclr_data::Labelled;
use simclr_embed::Embedder;
use simclr_eval::{EvalError, Knn, LogisticRegression, Protocol};
use simclr_model::Encoder;

/// Judges the encoder between epochs.
pub trait Monitor<E>: Send + Sync {
    /// The share of held-out examples whose class their labelled neighbours name, in 0..=1.
    ///
    /// # Errors
    ///
    /// [`EvalError`] if the examples cannot be embedded.
    fn knn_top1(&self, encoder: &E) -> Result<f64, EvalError>;

    /// Once the run has ended: the share of held-out examples whose class a linear layer on the frozen
    /// features names, in 0..=1; `None` from a monitor that has no such probe.
    ///
    /// # Errors
    ///
    /// [`EvalError`] if the examples cannot be embedded, or there is nothing to tell apart.
    fn linear_probe(&self, _encoder: &E) -> Result<Option<f64>, EvalError> {
        Ok(None)
    }
}

/// The weighted kNN of [`Knn`] on labelled images.
pub struct ImageMonitor {
    labelled: Labelled,
    transform: EvaluationTransform,
    knn: Knn,
    device: Device,
}

impl ImageMonitor {
    /// A monitor that embeds images on `device`, which must be where the encoder is.
    #[must_use]
    pub fn new(labelled: Labelled, transform: EvaluationTransform, device: &Device) -> Self {
        let knn = Knn::for_training_images(labelled.train.len(), device);
        Self { labelled, transform, knn, device: device.clone() }
    }
}

impl<E: Encoder<Input = Tensor<4>>> Monitor<E> for ImageMonitor {
    fn knn_top1(&self, encoder: &E) -> Result<f64, EvalError> {
        let Labelled { train, test } = &self.labelled;
        let embedder = Embedder::new(encoder.clone(), self.transform.clone(), &self.device);
        let train = embedder.embed_labelled(train)?.labelled;
        let test = embedder.embed_labelled(test)?.labelled;
        self.knn.top1(&train, &test)
    }

    /// [`LogisticRegression`] as it comes; `None` if all examples are of one class.
    fn linear_probe(&self, encoder: &E) -> Result<Option<f64>, EvalError> {
        let Labelled { train, test } = &self.labelled;
        let embedder = Embedder::new(encoder.clone(), self.transform.clone(), &self.device);
        let train = embedder.embed_labelled(train)?.labelled;
        let test = embedder.embed_labelled(test)?.labelled;
        let probe = LogisticRegression::default();
        match probe.top1(&train, &test) {
            Ok(top1) => Ok(Some(top1)),
            Err(EvalError::OneClass { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
