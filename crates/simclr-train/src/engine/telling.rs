//! What the training loop tells about the run.

use simclr_model::Encoder;

use crate::engine::epoch_figures::EpochFigures;
use crate::engine::training_loop::TrainingLoop;
use crate::engine::training_state::TrainingState;
use crate::error::TrainError;
use crate::watch::guards::{
    EPOCHS_AT_CHANCE_LEVEL, collapse, is_at_chance_level, nothing_learnt, skipped_steps,
};
use crate::watch::metrics_line::MetricsLine;
use crate::watch::observed::{MonitorFigures, Observed};
use crate::watch::plateau::is_flat;

impl<E: Encoder> TrainingLoop<E> {
    /// Notes the examples that were skipped for the first time.
    pub(super) fn name_skipped(&mut self, epoch: usize) -> Result<(), TrainError> {
        for skipped in self.views.take_untold() {
            self.log.skip(epoch, skipped)?;
        }
        Ok(())
    }

    /// Asks the monitor, if it is due after `epoch`, which may be the last; `None` too if the run is told to stop.
    pub(super) fn observe(
        &self,
        epoch: usize,
        is_last: bool,
        state: &TrainingState<E>,
    ) -> Result<Option<Observed>, TrainError> {
        let is_due = self.monitor_every.is_due(epoch, if is_last { epoch } else { self.epochs });
        let asked = is_due && !self.interrupter.should_stop();
        let Some(monitor) = self.monitor.as_ref().filter(|_| asked) else { return Ok(None) };
        let told_to_stop = || self.interrupter.should_stop();
        match Observed::by(&**monitor, &state.encoder(), &told_to_stop) {
            Ok(observed) => Ok(observed),
            Err(_) if told_to_stop() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Shows what the monitor saw, for the log.
    pub(super) fn seen(
        &mut self,
        observed: Option<&Observed>,
    ) -> (Option<f64>, Option<MonitorFigures>) {
        let Some(observed) = observed else { return (None, None) };
        observed.knn_top1.inspect(|&knn_top1| self.dashboard.knn(knn_top1));
        (observed.knn_top1, Some(observed.figures))
    }

    /// Logs the figures of an epoch, and warns if they are suspicious.
    pub(super) fn end_epoch(
        &mut self,
        epoch: usize,
        figures: &EpochFigures,
        observed: Option<&Observed>,
    ) -> Result<(), TrainError> {
        let (knn_top1, monitor) = self.seen(observed);
        self.log.append(&epoch_line(epoch, figures, knn_top1, monitor))?;
        if figures.overflowed > 0 {
            self.warn(epoch, skipped_steps(figures.overflowed, figures.steps))?;
        }
        match self.trouble(epoch, figures) {
            Some(text) => self.warn(epoch, text),
            None => Ok(()),
        }
    }

    /// Whether the run is to end since it has not learnt more for some epochs.
    pub(super) fn is_flat(&self) -> bool {
        self.stop_when_flat.is_some_and(|epochs| is_flat(self.log.epochs(), epochs))
    }

    /// As [`is_flat`](Self::is_flat), with an epoch that is not in the log yet.
    pub(super) fn is_flat_after(&self, epoch: usize, figures: &EpochFigures) -> bool {
        let line = epoch_line(epoch, figures, None, None);
        let lines = self.log.epochs().iter().chain([&line]);
        self.stop_when_flat.is_some_and(|epochs| is_flat(lines, epochs))
    }

    /// A warning, if the epoch's figures are suspicious.
    fn trouble(&mut self, epoch: usize, figures: &EpochFigures) -> Option<String> {
        let pinned = is_at_chance_level(figures.mean_loss, self.chance_level);
        self.at_chance_level = if pinned { self.at_chance_level + 1 } else { 0 };
        if let Some(text) = figures.representation.as_ref().and_then(collapse) {
            return Some(text);
        }
        let after_warmup = epoch > self.warmup_epochs;
        (after_warmup && self.at_chance_level >= EPOCHS_AT_CHANCE_LEVEL)
            .then(|| nothing_learnt(figures.mean_loss, self.at_chance_level))
    }

    pub(crate) fn warn(&mut self, epoch: usize, text: String) -> Result<(), TrainError> {
        self.dashboard.warn(&text);
        self.log.append(&MetricsLine::Warning { epoch, text })
    }

    pub(super) fn no_readable_example(&self) -> TrainError {
        let skipped = self.views.skipped();
        let first = skipped.first().map_or_else(String::new, |s| s.reason.clone());
        TrainError::NoReadableExample { skipped: skipped.len(), first }
    }
}

/// The line of an epoch.
fn epoch_line(
    epoch: usize,
    figures: &EpochFigures,
    knn_top1: Option<f64>,
    monitor: Option<MonitorFigures>,
) -> MetricsLine {
    MetricsLine::Epoch {
        epoch,
        loss: Some(figures.mean_loss).filter(|loss| loss.is_finite()),
        knn_top1,
        images_per_second: figures.images_per_second,
        waiting_share: figures.waiting_share,
        contrastive_top1: Some(figures.contrastive_top1).filter(|share| share.is_finite()),
        representation: figures.representation,
        monitor,
    }
}

/// Why a run ends before its last epoch.
pub(super) fn stopped_flat(epoch: usize, epochs: usize, flat: usize) -> String {
    format!(
        "the contrastive top-1 has not risen for {flat} epochs: the run ends after epoch {epoch} of {epochs}, as stop_when_flat says"
    )
}
