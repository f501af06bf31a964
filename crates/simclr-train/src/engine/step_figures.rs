//! The figures of a step.

use std::time::Duration;

use burn::tensor::Tensor;

use crate::engine::loss_scale::{StepScale, Verdict};

/// The figures of a step before they are read from the device. Reading waits for the step's end, so that the loop reads
/// them only when it has handed the next step to the device.
pub(crate) struct PendingFigures {
    pub(crate) epoch: usize,
    /// The step within the epoch, from 1.
    pub(crate) step: usize,
    pub(crate) learning_rate: f64,
    pub(crate) examples: usize,
    /// `[1]`.
    pub(crate) loss: Tensor<1>,
    /// `[2n]`.
    pub(crate) ranks: Tensor<1>,
    /// In f16 alone.
    pub(crate) verdict: Option<Verdict>,
    /// The time from the end of the step before to the end of this one.
    pub(crate) duration: Duration,
    /// The part of `duration` that the step waited for views.
    pub(crate) waited: Duration,
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
        let ranks = self.ranks.to_data_as::<f64>();
        let share_below = |limit: f64| {
            let anchors = 2 * self.examples;
            ranks.iter::<f64>().filter(|&rank| rank < limit).count() as f64 / anchors as f64
        };
        let seconds = self.duration.as_secs_f64().max(1e-6);
        StepFigures {
            epoch: self.epoch,
            step: self.step,
            learning_rate: self.learning_rate,
            contrastive_top1: share_below(1.0),
            contrastive_top5: share_below(5.0),
            images_per_second: self.examples as f64 / seconds,
            waiting_share: (self.waited.as_secs_f64() / seconds).min(1.0),
            loss: self.loss.into_scalar::<f64>(),
            scale: self.verdict.map(Verdict::read),
        }
    }
}
