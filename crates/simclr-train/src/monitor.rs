//! Watching an encoder learn, by asking its features for the class of held-out images.

use std::sync::Arc;

use burn::tensor::{Device, ExecutionError, Tensor, TensorReadError};
use burn::train::ItemLazy;
use burn::train::metric::{
    Metric, MetricAttributes, MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry,
    SerializedEntry,
};
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

/// What the monitor found after an epoch.
pub(crate) struct MonitorOutput {
    pub(crate) knn_top1: Result<f64, EvalError>,
}

impl ItemLazy for MonitorOutput {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

/// What [`KnnMetric`] is fed with: a share in 0..=1, if it could be found.
pub(crate) struct KnnInput(pub(crate) Option<f64>);

/// The monitor's figure on the dashboard, in percent.
#[derive(Clone)]
pub(crate) struct KnnMetric {
    name: MetricName,
    percent: Option<f64>,
}

impl KnnMetric {
    pub(crate) fn new() -> Self {
        Self { name: Arc::new("kNN top-1".to_owned()), percent: None }
    }

    fn entry(&self) -> SerializedEntry {
        match self.percent {
            Some(percent) => SerializedEntry::new(format!("{percent:.1} %"), percent.to_string()),
            None => SerializedEntry::not_available(Some("%")),
        }
    }
}

impl Metric for KnnMetric {
    type Input = KnnInput;

    fn name(&self) -> MetricName {
        Arc::clone(&self.name)
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: Some("%".to_owned()), higher_is_better: true }.into()
    }

    fn update(
        &mut self,
        input: &KnnInput,
        _: &MetricMetadata,
    ) -> Result<SerializedEntry, TensorReadError> {
        self.percent = input.0.map(|share| 100.0 * share);
        Ok(self.entry())
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.entry())
    }

    fn clear(&mut self) {
        self.percent = None;
    }
}

impl Numeric for KnnMetric {
    fn value(&self) -> Option<NumericEntry> {
        self.percent.map(NumericEntry::Value)
    }

    fn running_value(&self) -> Option<NumericEntry> {
        self.value()
    }

    fn final_value(&self) -> NumericEntry {
        NumericEntry::Final(self.percent.unwrap_or(f64::NAN))
    }
}
