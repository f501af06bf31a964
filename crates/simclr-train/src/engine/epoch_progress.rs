//! An epoch while it is trained.

use std::time::Duration;

use burn::tensor::Tensor;

use crate::engine::epoch_figures::{EpochFigures, EpochSums};
use crate::engine::step_figures::PendingFigures;
use crate::watch::representation::Representation;

/// An epoch while it is trained: its figures so far.
pub(crate) struct EpochProgress {
    pub(crate) sums: EpochSums,
    /// The last step, as long as its figures are not read.
    pub(crate) pending: Option<PendingFigures>,
    /// The features and projections of the last step, and the number of its examples.
    pub(crate) last: Option<([Tensor<2>; 2], usize)>,
}

impl EpochProgress {
    /// An epoch with the sums of the steps that were done before the run was interrupted.
    pub(crate) fn new(sums: EpochSums) -> Self {
        Self { sums, pending: None, last: None }
    }

    /// The figures of an epoch that took `duration` since the run began or was resumed, of which it waited for views for
    /// `waited`. The representation is that of the last batch; there is none if all steps were done before.
    pub(crate) fn figures(&self, duration: Duration, waited: Duration) -> EpochFigures {
        let seconds = duration.max(Duration::from_micros(1)).as_secs_f64();
        let EpochSums { steps, overflowed, examples, finite, loss, contrastive_top1 } = self.sums;
        let representation = self.last.as_ref();
        let trained = representation.is_some();
        EpochFigures {
            mean_loss: loss / finite as f64,
            overflowed,
            steps,
            images_per_second: trained.then_some(examples as f64 / seconds),
            waiting_share: trained.then_some(waited.as_secs_f64() / seconds),
            contrastive_top1: contrastive_top1 / finite as f64,
            representation: representation.and_then(|([h, z], n)| Representation::new(h, z, *n)),
        }
    }
}
