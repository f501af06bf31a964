//! Watching an encoder learn, by asking its features for the class of held-out images.

use burn::tensor::{Device, Tensor};
use simclr_augment::EvaluationTransform;
use simclr_data::Labelled;
use simclr_eval::{EvalError, Knn, embed};
use simclr_model::Encoder;

/// Judges the encoder between epochs.
pub trait Monitor<E>: Send + Sync {
    /// The share of held-out examples whose class their labelled neighbours name, in 0..=1.
    ///
    /// # Errors
    ///
    /// [`EvalError`] if the examples cannot be embedded.
    fn knn_top1(&self, encoder: &E) -> Result<f64, EvalError>;
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
        let knn = Knn::for_bank(labelled.bank.len());
        Self { labelled, transform, knn, device: device.clone() }
    }
}

impl<E: Encoder<Input = Tensor<4>>> Monitor<E> for ImageMonitor {
    fn knn_top1(&self, encoder: &E) -> Result<f64, EvalError> {
        let Labelled { bank, queries } = &self.labelled;
        let bank = embed(encoder, bank, &self.transform, &self.device)?.labelled;
        let queries = embed(encoder, queries, &self.transform, &self.device)?.labelled;
        self.knn.top1(&bank, &queries, &self.device)
    }
}
