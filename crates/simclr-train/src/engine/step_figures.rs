//! The figures of a step.

use std::time::Duration;

use burn::tensor::Tensor;
use simclr_nn::QueuedRead;

use crate::engine::loss_scale::{StepScale, Verdict};

/// The figures of a step on their way from the device. The copy is queued behind the step, so that waiting for it while
/// the device does the next step takes nothing from that. One read a step: all figures are in one tensor.
pub(crate) struct PendingFigures {
    pub(crate) epoch: usize,
    /// The step within the epoch, from 1.
    pub(crate) step: usize,
    pub(crate) learning_rate: f64,
    pub(crate) examples: usize,
    /// The views of all examples.
    pub(crate) anchors: usize,
    pub(crate) values: PendingValues,
    /// The time from the end of the step before to the end of this one.
    pub(crate) duration: Duration,
    /// The part of `duration` that the step waited for views.
    pub(crate) waited: Duration,
    /// Chunks of views that were ready as the step began.
    pub(crate) chunks_ready: usize,
}

/// What a step's figures are made of.
pub(crate) struct PendingValues(QueuedRead);

impl PendingValues {
    /// Queues the read of a step's loss, `[1]`, of how many of its `ranks`, `[V n]`, are below 1 and below 5, and of what
    /// f16 adds.
    pub(crate) fn new(loss: Tensor<1>, ranks: &Tensor<1>, verdict: Option<Verdict>) -> Self {
        let below = |limit: f64| ranks.clone().lower_elem(limit).float().sum();
        let mut values = vec![loss, below(1.0), below(5.0)];
        values.extend(verdict.into_iter().flat_map(Verdict::into_values));
        Self(QueuedRead::new(Tensor::cat(values, 0)))
    }
}

/// The figures of a step, on the host.
pub(crate) struct StepFigures {
    pub(crate) epoch: usize,
    pub(crate) step: usize,
    pub(crate) learning_rate: f64,
    pub(crate) loss: f64,
    /// In f16 alone.
    pub(crate) scale: Option<StepScale>,
    /// Share of anchors whose nearest other view is their partner, or with a loss of classes of their class, in 0..=1.
    pub(crate) contrastive_top1: f64,
    /// The same for one of the five nearest other views, in 0..=1.
    pub(crate) contrastive_top5: f64,
    pub(crate) images_per_second: f64,
    /// Share of the step's time that it waited for views, in 0..=1.
    pub(crate) waiting_share: f64,
    /// Chunks of views that were ready as the step began.
    pub(crate) chunks_ready: usize,
}

impl StepFigures {
    /// Whether the step was skipped, since a gradient overflowed in f16.
    pub(crate) fn overflowed(&self) -> bool {
        self.scale.is_some_and(|step| step.overflowed)
    }
}

impl PendingFigures {
    /// Waits for the device.
    pub(crate) fn read(self) -> StepFigures {
        let values: Vec<f64> = self.values.0.wait().into_iter().map(f64::from).collect();
        let (figures, of_f16) = values.split_at(3);
        let [loss, top1, top5] = figures else { unreachable!("three values are always read") };
        let anchors = self.anchors as f64;
        let seconds = self.duration.as_secs_f64().max(1e-6);
        StepFigures {
            epoch: self.epoch,
            step: self.step,
            learning_rate: self.learning_rate,
            contrastive_top1: top1 / anchors,
            contrastive_top5: top5 / anchors,
            images_per_second: self.examples as f64 / seconds,
            waiting_share: (self.waited.as_secs_f64() / seconds).min(1.0),
            chunks_ready: self.chunks_ready,
            loss: *loss,
            scale: StepScale::of_values(of_f16),
        }
    }
}
