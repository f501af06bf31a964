//! The figures of an epoch.

use std::time::Duration;

use burn::tensor::Tensor;

use crate::watch::representation::Representation;

/// The figures of an epoch's training.
pub(crate) struct EpochFigures {
    pub(crate) mean_loss: f64,
    pub(crate) images_per_second: f64,
    pub(crate) waiting_share: f64,
    pub(crate) contrastive_top1: f64,
    /// Examples of the last batch, which may lack unreadable ones.
    pub(crate) last_batch: usize,
    pub(crate) representation: Option<Representation>,
}

/// Sums over the steps of an epoch.
#[derive(Default)]
pub(crate) struct EpochSums {
    pub(crate) steps: usize,
    pub(crate) examples: usize,
    pub(crate) loss: f64,
    pub(crate) contrastive_top1: f64,
}

impl EpochSums {
    /// The figures of an epoch that took `duration`, of which it waited for views for `waited`. The representation is
    /// that of the last batch.
    pub(crate) fn figures(
        &self,
        features: &Tensor<2>,
        projections: &Tensor<2>,
        duration: Duration,
        waited: Duration,
    ) -> EpochFigures {
        let seconds = duration.max(Duration::from_micros(1)).as_secs_f64();
        EpochFigures {
            mean_loss: self.loss / self.steps as f64,
            images_per_second: self.examples as f64 / seconds,
            waiting_share: waited.as_secs_f64() / seconds,
            contrastive_top1: self.contrastive_top1 / self.steps as f64,
            last_batch: projections.dims()[0] / 2,
            representation: Representation::new(features, projections),
        }
    }
}
