//! A line of `metrics.jsonl`.

use serde::{Deserialize, Serialize};

use crate::engine::step_figures::StepFigures;
use crate::run::position::Position;
use crate::watch::observed::MonitorFigures;
use crate::watch::representation::Representation;

/// One line of `metrics.jsonl`, a JSON object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
#[non_exhaustive]
pub enum MetricsLine {
    /// A training step.
    Step {
        /// The epoch, from 1.
        epoch: usize,
        /// The step within the epoch, from 1.
        step: usize,
        /// The loss of the batch; `None` if it is NaN or infinite.
        loss: Option<f64>,
        /// The learning rate of the step.
        learning_rate: f64,
        /// Share of anchors whose partner is the nearest of all 2n - 1 other views, in 0..=1. With a loss that contrasts
        /// classes: whose nearest other view is of their class.
        contrastive_top1: f64,
        /// Share of anchors whose partner, or with such a loss a view of their class, is among the five nearest, in 0..=1.
        contrastive_top5: f64,
        /// Examples (not views) a second.
        images_per_second: f64,
        /// Share of the step's time that it waited for views, in 0..=1.
        waiting_share: f64,
        /// Chunks of views that were ready as the step began. 0 in step after step: reading and augmenting is what limits.
        #[serde(default)]
        chunks_ready: usize,
        /// In f16, the factor of the loss in the backward pass, see [`Precision::F16`](crate::Precision::F16); else `None`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loss_scale: Option<f64>,
        /// Whether the step was skipped, since a gradient overflowed in f16.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        overflowed: bool,
        /// Steps right before this one that have no line any more, since the file was longer than 16 MiB.
        #[serde(default, skip_serializing_if = "is_zero")]
        left_out: usize,
    },
    /// The end of an epoch, or the state before training.
    Epoch {
        /// The epoch, from 1; 0 is before training.
        epoch: usize,
        /// The mean loss over the epoch's steps; `None` in epoch 0.
        loss: Option<f64>,
        /// kNN top-1 of the monitor, in 0..=1; `None` without labels, and where the monitor was not asked.
        knn_top1: Option<f64>,
        /// Examples (not views) a second of training; `None` in epoch 0.
        images_per_second: Option<f64>,
        /// Share of the training time that steps waited for views; `None` in epoch 0.
        waiting_share: Option<f64>,
        /// The mean contrastive top-1 over the epoch's steps; `None` in epoch 0.
        contrastive_top1: Option<f64>,
        /// The shape of the last batch's representation; `None` in epoch 0.
        representation: Option<Representation>,
        /// What the monitor looked at and saw without labels, and the time that it took; `None` where it was not asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        monitor: Option<MonitorFigures>,
    },
    /// An example that could not be read and was skipped. Each has one such line, at the first time.
    Skipped {
        /// The epoch, from 1.
        epoch: usize,
        /// Its index in the data set.
        index: usize,
        /// The error, with the name of the file.
        reason: String,
    },
    /// A warning to the user.
    Warning {
        /// The last completed epoch.
        epoch: usize,
        /// The warning, in plain words.
        text: String,
    },
}

impl MetricsLine {
    /// The line of epoch 0.
    pub(crate) fn before_training(knn_top1: Option<f64>, monitor: Option<MonitorFigures>) -> Self {
        Self::Epoch {
            epoch: 0,
            loss: None,
            knn_top1,
            images_per_second: None,
            waiting_share: None,
            contrastive_top1: None,
            representation: None,
            monitor,
        }
    }

    /// Whether a run that goes on at `position` keeps this line: it is about what was done before.
    pub(crate) fn is_before(&self, position: Position) -> bool {
        let begun = position.epochs + usize::from(position.steps > 0);
        match *self {
            Self::Step { epoch, step, .. } if epoch > position.epochs => {
                epoch == begun && step <= position.steps
            }
            Self::Step { epoch, .. } | Self::Epoch { epoch, .. } | Self::Warning { epoch, .. } => {
                epoch <= position.epochs
            }
            Self::Skipped { epoch, .. } => epoch <= begun,
        }
    }

    /// The line as JSON, with its line break.
    pub(crate) fn json(&self) -> String {
        let json = serde_json::to_string(self).expect("numbers and fixed names are always JSON");
        format!("{json}\n")
    }
}

/// A line for tests.
#[cfg(test)]
pub(crate) fn step_line(epoch: usize, step: usize) -> MetricsLine {
    MetricsLine::Step {
        epoch,
        step,
        loss: Some(1.0),
        learning_rate: 0.1,
        contrastive_top1: 0.5,
        contrastive_top5: 0.5,
        images_per_second: 1.0,
        waiting_share: 0.0,
        chunks_ready: 2,
        loss_scale: None,
        overflowed: false,
        left_out: 0,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl From<&StepFigures> for MetricsLine {
    fn from(figures: &StepFigures) -> Self {
        Self::Step {
            epoch: figures.epoch,
            step: figures.step,
            loss: figures.loss.is_finite().then_some(figures.loss),
            learning_rate: figures.learning_rate,
            contrastive_top1: figures.contrastive_top1,
            contrastive_top5: figures.contrastive_top5,
            images_per_second: figures.images_per_second,
            waiting_share: figures.waiting_share,
            chunks_ready: figures.chunks_ready,
            loss_scale: figures.scale.map(|step| step.scale),
            overflowed: figures.overflowed(),
            left_out: 0,
        }
    }
}
