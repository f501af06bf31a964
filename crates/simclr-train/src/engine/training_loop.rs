//! The training loop, in the order things happen.

use std::collections::BTreeSet;
use std::time::Instant;

use burn::tensor::Tensor;
use burn::train::Interrupter;
use simclr_model::Encoder;

use crate::engine::contrastive_step::ContrastiveStep;
use crate::engine::epoch_figures::{EpochFigures, EpochSums};
use crate::engine::step_figures::{PendingFigures, StepFigures};
use crate::engine::training_state::TrainingState;
use crate::error::TrainError;
use crate::run::checkpoint::CheckpointFolder;
use crate::views::view_loader::ViewLoader;
use crate::watch::dashboard::Dashboard;
use crate::watch::guards::{
    EPOCHS_AT_CHANCE_LEVEL, collapse, divergence, is_at_chance_level, nothing_learnt,
};
use crate::watch::metrics_line::MetricsLine;
use crate::watch::metrics_log::MetricsLog;
use crate::watch::monitor::{Monitor, Observation};
use simclr_eval::WarmupCosine;

/// The parts of a run, and the loop over its epochs and steps.
pub(crate) struct TrainingLoop<E: Encoder> {
    pub(crate) epochs: usize,
    pub(crate) warmup_epochs: usize,
    pub(crate) steps_per_epoch: usize,
    pub(crate) views: ViewLoader<E::Input>,
    pub(crate) step: ContrastiveStep,
    pub(crate) schedule: WarmupCosine,
    pub(crate) monitor: Option<Box<dyn Monitor<E>>>,
    pub(crate) log: MetricsLog,
    pub(crate) checkpoints: Option<CheckpointFolder>,
    /// The number of latest checkpoints to keep, beside the best.
    pub(crate) kept_checkpoints: usize,
    pub(crate) dashboard: Dashboard,
    pub(crate) interrupter: Interrupter,
    /// The number of epochs in a row, up to the latest, whose mean loss was at the chance level.
    pub(crate) at_chance_level: usize,
}

/// The final state, and the monitor's last observation.
type Outcome<E> = (TrainingState<E>, Option<Box<dyn Observation>>);

impl<E: Encoder> TrainingLoop<E> {
    /// Trains from the end of epoch `done` to the last, or to an interruption.
    pub(crate) fn run(
        &mut self,
        mut state: TrainingState<E>,
        done: usize,
    ) -> Result<Outcome<E>, TrainError> {
        self.dashboard.start(self.epochs, done + 1);
        let mut observation = None;
        if done == 0 || done >= self.epochs {
            observation = self.observe(&state)?;
        }
        if done == 0 {
            let knn_top1 = self.knn_top1(observation.as_deref())?;
            self.log.append(&MetricsLine::before_training(knn_top1))?;
        }
        for epoch in done + 1..=self.epochs {
            drop(observation.take());
            let Some(figures) = self.train_epoch(epoch, &mut state)? else {
                return Ok((state, None)); // Interrupted: a resumed run starts this epoch again.
            };
            observation = self.observe(&state)?;
            let knn_top1 = self.knn_top1(observation.as_deref())?;
            self.log.append(&MetricsLine::Epoch {
                epoch,
                loss: Some(figures.mean_loss),
                knn_top1,
                images_per_second: Some(figures.images_per_second),
                waiting_share: Some(figures.waiting_share),
                contrastive_top1: Some(figures.contrastive_top1),
                representation: figures.representation,
            })?;
            if let Some(text) = self.trouble(epoch, &figures) {
                self.warn(epoch, text)?;
            }
            self.save(epoch, &state)?;
            self.dashboard.end_epoch(epoch);
        }
        Ok((state, observation))
    }

    /// Trains on every batch of an epoch; `None` if the run was interrupted.
    fn train_epoch(
        &mut self,
        epoch: usize,
        state: &mut TrainingState<E>,
    ) -> Result<Option<EpochFigures>, TrainError> {
        self.dashboard.start_epoch(self.views.examples_per_epoch());
        let mut views = self.views.epoch(epoch);
        let mut sums = EpochSums::default();
        let mut pending: Option<PendingFigures> = None;
        let mut last: Option<[Tensor<2>; 2]> = None;
        let mut step = 0;
        let started = Instant::now();
        let mut step_started = started;
        while let Some(chunks) = views.next_step() {
            step += 1;
            let (chunks_per_step, waited) = (chunks.chunks(), chunks.waited());
            let Some((gradients, output)) = self.step.run(&state.model, chunks, chunks_per_step)?
            else {
                continue; // No example of the batch could be read.
            };
            let learning_rate = self.schedule.rate((epoch - 1) * self.steps_per_epoch + step - 1);
            state.model = state.optimizer.step(learning_rate, state.model.clone(), gradients);

            // The device is busy with this step: meanwhile the host notes the one before.
            self.note(pending.take(), state, &mut sums)?;
            pending = Some(PendingFigures {
                epoch,
                step,
                learning_rate,
                examples: output.examples,
                loss: output.loss,
                partner_ranks: output.partner_ranks,
                duration: step_started.elapsed(),
                waited: views.waited().saturating_sub(waited),
            });
            step_started = Instant::now();
            last = Some([output.features, output.projections]);
            if self.interrupter.should_stop() {
                break;
            }
        }
        self.note(pending, state, &mut sums)?;
        self.dashboard.end_training();
        let Some([features, projections]) = last else { return Err(self.no_readable_example()) };
        if self.interrupter.should_stop() {
            return Ok(None);
        }
        Ok(Some(sums.figures(&features, &projections, started.elapsed(), views.waited())))
    }

    /// Waits for a step and notes its figures.
    ///
    /// # Errors
    ///
    /// [`TrainError::Diverged`] if the loss is NaN or infinite.
    fn note(
        &mut self,
        pending: Option<PendingFigures>,
        state: &TrainingState<E>,
        sums: &mut EpochSums,
    ) -> Result<(), TrainError> {
        let Some(pending) = pending else { return Ok(()) };
        sums.examples += pending.examples;
        let figures: StepFigures = pending.read();
        self.log.append(&MetricsLine::from(&figures))?;
        if !figures.loss.is_finite() {
            return Err(divergence(&figures, &state.model));
        }
        self.dashboard.step(&figures, sums.examples);
        sums.steps += 1;
        sums.loss += figures.loss;
        sums.contrastive_top1 += figures.contrastive_top1;
        Ok(())
    }

    fn observe(
        &self,
        state: &TrainingState<E>,
    ) -> Result<Option<Box<dyn Observation>>, TrainError> {
        let Some(monitor) = &self.monitor else { return Ok(None) };
        Ok(Some(monitor.observe(&state.model.encoder.valid())?))
    }

    fn knn_top1(
        &mut self,
        observation: Option<&dyn Observation>,
    ) -> Result<Option<f64>, TrainError> {
        let Some(observation) = observation else { return Ok(None) };
        let knn_top1 = observation.knn_top1()?;
        self.dashboard.knn(knn_top1);
        Ok(Some(knn_top1))
    }

    /// A warning, if the epoch's figures are suspicious.
    fn trouble(&mut self, epoch: usize, figures: &EpochFigures) -> Option<String> {
        let pinned =
            is_at_chance_level(figures.mean_loss, self.step.chance_level(figures.last_batch));
        self.at_chance_level = if pinned { self.at_chance_level + 1 } else { 0 };
        if let Some(text) = figures.representation.as_ref().and_then(collapse) {
            return Some(text);
        }
        let after_warmup = epoch > self.warmup_epochs;
        (after_warmup && self.at_chance_level >= EPOCHS_AT_CHANCE_LEVEL)
            .then(|| nothing_learnt(figures.mean_loss, self.at_chance_level))
    }

    /// Saves a checkpoint, and deletes the others that are neither recent nor the best.
    fn save(&self, epoch: usize, state: &TrainingState<E>) -> Result<(), TrainError> {
        let Some(checkpoints) = &self.checkpoints else { return Ok(()) };
        checkpoints.save(epoch, state)?;
        let recent = (epoch + 1).saturating_sub(self.kept_checkpoints)..=epoch;
        let kept: BTreeSet<usize> = recent.chain(self.log.best_epoch()).collect();
        checkpoints.keep_only(&kept)
    }

    /// The epoch of the last checkpoint, if there is one.
    pub(crate) fn last_checkpoint(&self) -> Option<usize> {
        let epochs = self.checkpoints.as_ref()?.epochs().ok()?;
        epochs.last().copied()
    }

    pub(crate) fn warn(&mut self, epoch: usize, text: String) -> Result<(), TrainError> {
        self.dashboard.warn(&text);
        self.log.append(&MetricsLine::Warning { epoch, text })
    }

    fn no_readable_example(&self) -> TrainError {
        let skipped = self.views.skipped();
        let first = skipped.first().map_or_else(String::new, |s| s.reason.clone());
        TrainError::NoReadableExample { skipped: skipped.len(), first }
    }
}
