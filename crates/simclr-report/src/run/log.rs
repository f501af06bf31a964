//! The lines of a run's log, sorted by kind.

use simclr_train::MetricsLine;

use crate::text::Text;

/// What a run logged.
pub(crate) struct Log {
    pub(crate) steps: Vec<Step>,
    pub(crate) epochs: Vec<Epoch>,
    /// Warnings with the epoch that each came after.
    pub(crate) warnings: Vec<(usize, Text)>,
}

/// The figures of a step.
pub(crate) struct Step {
    /// When it ended, in epochs.
    pub(crate) x: f64,
    /// `None` if it was not finite.
    pub(crate) loss: Option<f64>,
    pub(crate) learning_rate: f64,
    /// Contrastive top-1 and top-5, in percent.
    pub(crate) contrastive: [f64; 2],
    pub(crate) images_per_second: f64,
}

/// The figures of an epoch.
pub(crate) struct Epoch {
    /// Its number; 0 is before training.
    pub(crate) x: f64,
    /// kNN top-1 in percent; `None` without labels.
    pub(crate) knn: Option<f64>,
    /// Of features and projections; `None` before training.
    pub(crate) effective_rank: Option<[f64; 2]>,
    /// Of the features of the images that the monitor looked at; `None` where it was not asked.
    pub(crate) monitored_rank: Option<f64>,
}

impl Log {
    pub(crate) fn new(lines: &[MetricsLine]) -> Self {
        let steps_per_epoch = steps_per_epoch(lines);
        let mut log = Self { steps: Vec::new(), epochs: Vec::new(), warnings: Vec::new() };
        for line in lines {
            match line {
                MetricsLine::Step {
                    epoch,
                    step,
                    loss,
                    learning_rate,
                    contrastive_top1,
                    contrastive_top5,
                    images_per_second,
                    ..
                } => log.steps.push(Step {
                    x: epoch.saturating_sub(1) as f64 + *step as f64 / steps_per_epoch,
                    loss: *loss,
                    learning_rate: *learning_rate,
                    contrastive: [contrastive_top1, contrastive_top5].map(|share| 100.0 * share),
                    images_per_second: *images_per_second,
                }),
                MetricsLine::Epoch { epoch, knn_top1, representation, monitor, .. } => {
                    log.epochs.push(Epoch {
                        x: *epoch as f64,
                        knn: knn_top1.map(|share| 100.0 * share),
                        effective_rank: representation
                            .map(|r| [r.effective_rank_h, r.effective_rank_z]),
                        monitored_rank: monitor
                            .and_then(|figures| Some(figures.monitored?.shape?.effective_rank)),
                    });
                }
                MetricsLine::Warning { epoch, text } => {
                    log.warnings.push((*epoch, Text::new(text)));
                }
                _ => {}
            }
        }
        log
    }

    /// The last epoch that was logged, or the part of it; 0 if nothing was.
    pub(crate) fn end(&self) -> f64 {
        let steps = self.steps.iter().map(|step| step.x);
        steps.chain(self.epochs.iter().map(|epoch| epoch.x)).fold(0.0, f64::max)
    }
}

/// As many as the longest epoch has.
fn steps_per_epoch(lines: &[MetricsLine]) -> f64 {
    let steps = lines.iter().filter_map(|line| match line {
        MetricsLine::Step { step, .. } => Some(*step),
        _ => None,
    });
    steps.max().unwrap_or(1).max(1) as f64
}
