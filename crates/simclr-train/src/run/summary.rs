//! The final figures of a run.

use serde::{Deserialize, Serialize};

use crate::engine::train_config::TrainConfig;
use crate::watch::metrics_line::MetricsLine;
use crate::watch::observed::MonitorFigures;

/// `summary.json` of a run directory. Accuracies are shares in 0..=1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// kNN top-1 before training; `None` without labels or a monitor.
    pub knn_top1_initial: Option<f64>,
    /// kNN top-1 after the last epoch, or the last before it after which the monitor was asked; `None` without labels or a
    /// monitor.
    pub knn_top1: Option<f64>,
    /// Top-1 of a linear layer on the final features; `None` without a monitor that has such a probe, or if the run was
    /// stopped.
    pub linear_probe: Option<f64>,
    /// How that layer learnt, in words: the solver with its settings, and the number of images.
    #[serde(default)]
    pub linear_probe_by: Option<String>,
    /// What the monitor looked at and saw the last time; `None` without one, and in files of older versions.
    #[serde(default)]
    pub monitor: Option<MonitorFigures>,
    /// The time that the monitor took, all in all, in seconds; the final probe is not in it. `None` without a monitor.
    #[serde(default)]
    pub monitor_seconds: Option<f64>,
    /// Mean loss of the first epoch.
    pub loss_first: Option<f64>,
    /// Mean loss of the last epoch.
    pub loss_last: Option<f64>,
    /// Examples, whatever they are (not views), a second of training, in the last epoch. The file's names for them are
    /// those of image runs.
    pub images_per_second: Option<f64>,
    /// Share of the training time that the device waited for views, in the last epoch.
    pub waiting_share: Option<f64>,
    /// Completed epochs.
    pub epochs: usize,
    /// Epochs of the config: more than `epochs` if the run was stopped.
    pub epochs_planned: usize,
    /// The device's name, see [`device_from_name`](crate::device_from_name); of several devices, the names with commas.
    pub device: String,
    /// The seed of the config.
    pub seed: u64,
    /// Examples that could not be read and were skipped.
    pub skipped_images: usize,
    /// Where the encoder's first weights came from: the path of a file, or the address of published ones; `None` if they were
    /// drawn from the seed, and in files of older versions.
    #[serde(default)]
    pub first_weights: Option<String>,
}

impl Summary {
    /// Collects the figures of the epochs in `lines`.
    pub(crate) fn new(
        lines: &[MetricsLine],
        config: &TrainConfig,
        device: String,
        skipped_images: usize,
    ) -> Self {
        let mut summary = Self {
            knn_top1_initial: None,
            knn_top1: None,
            linear_probe: None,
            linear_probe_by: None,
            monitor: None,
            monitor_seconds: None,
            loss_first: None,
            loss_last: None,
            images_per_second: None,
            waiting_share: None,
            epochs: 0,
            epochs_planned: config.epochs,
            device,
            seed: config.seed,
            skipped_images,
            first_weights: None,
        };
        for line in lines {
            let &MetricsLine::Epoch {
                epoch,
                loss,
                knn_top1,
                images_per_second,
                waiting_share,
                monitor,
                ..
            } = line
            else {
                continue;
            };
            if let Some(figures) = monitor {
                let seconds = summary.monitor_seconds.get_or_insert(0.0);
                *seconds += figures.seconds;
                summary.monitor = monitor;
            }
            if epoch == 0 {
                summary.knn_top1_initial = knn_top1;
                continue;
            }
            summary.loss_first = summary.loss_first.or(loss);
            summary.loss_last = loss;
            summary.knn_top1 = knn_top1.or(summary.knn_top1);
            summary.images_per_second = images_per_second;
            summary.waiting_share = waiting_share;
            summary.epochs = epoch;
        }
        summary
    }
}
