//! The training loop, in the order things happen.

use std::collections::BTreeSet;
use std::time::Instant;

use burn::module::Module;
use burn::train::Interrupter;
use simclr_model::{Encoder, module_tensors};

use crate::engine::contrastive_step::ContrastiveStep;
use crate::engine::epoch_figures::{EpochFigures, EpochSums};
use crate::engine::epoch_progress::EpochProgress;
use crate::engine::loss_scale::StepScale;
use crate::engine::step_figures::{PendingFigures, PendingValues, StepFigures};
use crate::engine::telling::stopped_flat;
use crate::engine::training_state::TrainingState;
use crate::error::TrainError;
use crate::rate::run_schedule::RunSchedule;
use crate::run::checkpoint::CheckpointFolder;
use crate::run::position::Position;
use crate::views::epoch_views::EpochViews;
use crate::views::view_loader::ViewLoader;
use crate::watch::dashboard::Dashboard;
use crate::watch::guards::{divergence, not_finite, overflow};
use crate::watch::metrics_line::MetricsLine;
use crate::watch::metrics_log::MetricsLog;
use crate::watch::monitor::Monitor;
use crate::watch::monitor_every::MonitorEvery;
use crate::watch::observed::Observed;

/// The parts of a run, and the loop over its epochs and steps.
pub(crate) struct TrainingLoop<E: Encoder> {
    pub(crate) epochs: usize,
    pub(crate) warmup_epochs: usize,
    pub(crate) steps_per_epoch: usize,
    /// Where the run stands.
    pub(crate) position: Position,
    pub(crate) views: ViewLoader<E::Input>,
    pub(crate) step: ContrastiveStep<E>,
    pub(crate) schedule: RunSchedule,
    pub(crate) monitor: Option<Box<dyn Monitor<E>>>,
    pub(crate) monitor_every: MonitorEvery,
    /// The run ends when it has not learnt more for so many epochs.
    pub(crate) stop_when_flat: Option<usize>,
    pub(crate) log: MetricsLog,
    pub(crate) checkpoints: Option<CheckpointFolder>,
    /// The number of latest checkpoints to keep, beside the best.
    pub(crate) kept_checkpoints: usize,
    pub(crate) dashboard: Dashboard,
    pub(crate) interrupter: Interrupter,
    /// The loss where all projections of a batch are alike.
    pub(crate) chance_level: f64,
    /// The number of epochs in a row, up to the latest, whose mean loss was at the chance level.
    pub(crate) at_chance_level: usize,
}

/// How the loop ended: with the monitor's last observation, or by an interruption.
pub(crate) enum Outcome {
    Finished(Option<Observed>),
    Interrupted,
}

impl<E: Encoder> TrainingLoop<E> {
    /// Trains to the last epoch or to an interruption. If that, or an error, comes within an epoch, the steps of that
    /// epoch are saved too.
    pub(crate) fn run(&mut self, state: &mut TrainingState<E>) -> Result<Outcome, TrainError> {
        self.dashboard.start(self.epochs, self.position.epochs + 1);
        let outcome = self.train(state);
        let broken = matches!(
            outcome,
            Err(TrainError::Diverged { .. }
                | TrainError::Overflow { .. }
                | TrainError::NotFinite { .. })
        );
        if self.position.steps == 0 || broken {
            return outcome;
        }
        // The error that ended the run says more than one about its checkpoint.
        let saved = self.check_finite(state).and_then(|()| self.save(state));
        outcome.and_then(|outcome| saved.map(|()| outcome))
    }

    fn train(&mut self, state: &mut TrainingState<E>) -> Result<Outcome, TrainError> {
        let mut observation = None;
        let is_new = self.position == Position::START;
        let mut ends = self.position.epochs >= self.epochs || self.is_flat();
        if !ends {
            // The first views are made while the encoder is evaluated.
            self.views.begin(self.position.epochs + 1, self.position.steps);
        }
        if is_new || ends {
            observation = self.observe(self.position.epochs, ends, state)?;
            if self.interrupter.should_stop() {
                return Ok(Outcome::Interrupted);
            }
        }
        if is_new {
            let (knn_top1, monitor) = self.seen(observation.as_ref());
            self.log.append(&MetricsLine::before_training(knn_top1, monitor))?;
        }
        while !ends {
            drop(observation.take());
            let epoch = self.position.epochs + 1;
            let Some(figures) = self.train_epoch(epoch, state)? else {
                return Ok(Outcome::Interrupted);
            };
            self.check_finite(state)?;
            let flat = self.is_flat_after(epoch, &figures);
            ends = flat || epoch >= self.epochs;
            observation = self.observe(epoch, ends, state)?;
            if self.interrupter.should_stop() {
                return Ok(Outcome::Interrupted); // It may have observed some of the examples only.
            }
            self.end_epoch(epoch, &figures, observation.as_ref())?;
            if let Some(patience) = self.stop_when_flat.filter(|_| flat && epoch < self.epochs) {
                self.warn(epoch, stopped_flat(epoch, self.epochs, patience))?;
            }
            self.position = Position::after_epoch(epoch);
            self.save(state)?;
            self.dashboard.end_epoch(epoch);
        }
        Ok(Outcome::Finished(observation))
    }

    /// Trains on every batch of an epoch that has not been trained on; `None` if the run was interrupted.
    fn train_epoch(
        &mut self,
        epoch: usize,
        state: &mut TrainingState<E>,
    ) -> Result<Option<EpochFigures>, TrainError> {
        self.dashboard.start_epoch(self.views.examples_per_epoch());
        let mut progress = EpochProgress::new(EpochSums::of(&self.log.take_unfinished_steps()));
        let mut views = self.views.epoch_after(epoch, self.position.steps);
        let started = Instant::now();
        let outcome = self.train_steps(epoch, &mut views, &mut progress, state);
        self.note(&mut progress, state)?;
        self.name_skipped(epoch)?;
        self.dashboard.end_training();
        outcome?;
        if self.interrupter.should_stop() {
            return Ok(None);
        }
        if progress.sums.steps == 0 {
            return Err(self.no_readable_example());
        }
        Ok(Some(progress.figures(started.elapsed(), views.waited())))
    }

    /// Does the steps of an epoch, to its last or to an interruption.
    fn train_steps(
        &mut self,
        epoch: usize,
        views: &mut EpochViews<E::Input>,
        progress: &mut EpochProgress,
        state: &mut TrainingState<E>,
    ) -> Result<(), TrainError> {
        let mut step_started = Instant::now();
        while !self.interrupter.should_stop() {
            let Some(chunks) = views.next_step() else { return Ok(()) };
            let step = self.position.steps + 1;
            let (chunks_per_step, waited) = (chunks.chunks(), chunks.waited());
            let learning_rate = self.schedule.rate((epoch - 1) * self.steps_per_epoch + step - 1);
            let outcome = state.step(&self.step, chunks, chunks_per_step, learning_rate)?;
            self.position.steps = step;
            let Some((output, verdict)) = outcome else {
                continue; // No example of the batch could be read.
            };

            let [anchors] = output.ranks.dims();
            let values = PendingValues::new(output.loss, &output.ranks, verdict);
            // The device is busy with this step: meanwhile the host notes the one before.
            self.note(progress, state)?;
            self.name_skipped(epoch)?;
            progress.pending = Some(PendingFigures {
                epoch,
                step,
                learning_rate,
                examples: output.examples,
                anchors,
                values,
                duration: step_started.elapsed(),
                waited: views.waited().saturating_sub(waited),
                chunks_ready: views.ready(),
            });
            step_started = Instant::now();
            progress.last = Some(([output.features, output.projections], output.examples));
        }
        Ok(())
    }

    /// Waits for the step whose figures are pending, and notes them.
    ///
    /// # Errors
    ///
    /// [`TrainError::Diverged`] if the loss is NaN or infinite; in f16 such a step was skipped, and
    /// [`TrainError::Overflow`] comes at the smallest loss scale.
    fn note(
        &mut self,
        progress: &mut EpochProgress,
        state: &TrainingState<E>,
    ) -> Result<(), TrainError> {
        let Some(pending) = progress.pending.take() else { return Ok(()) };
        let examples = pending.examples;
        let figures: StepFigures = pending.read();
        self.log.append(&MetricsLine::from(&figures))?;
        let overflowed = figures.overflowed();
        if figures.scale.is_some_and(StepScale::is_hopeless) {
            return Err(overflow(&figures));
        }
        if !figures.loss.is_finite() && !overflowed {
            return Err(divergence(&figures, &state.model));
        }
        progress.sums.add(figures.loss, figures.contrastive_top1, overflowed, examples);
        if figures.loss.is_finite() {
            self.dashboard.step(&figures, figures.step * self.views.layout().batch_size);
        }
        Ok(())
    }

    /// Refuses parameters and running statistics that are NaN or infinite: neither are they worth an evaluation, nor may
    /// they be saved over good checkpoints.
    fn check_finite(&self, state: &TrainingState<E>) -> Result<(), TrainError> {
        let broken = not_finite(&module_tensors(&state.model.valid()));
        let [tensor, others @ ..] = &broken[..] else { return Ok(()) };
        let (position, tensor, more) = (self.position, tensor.clone(), others.len());
        Err(TrainError::NotFinite { position, tensor, more, checkpoint: None })
    }

    /// Saves a checkpoint, and deletes the others that are neither recent nor the best.
    fn save(&self, state: &TrainingState<E>) -> Result<(), TrainError> {
        let (Some(checkpoints), position) = (&self.checkpoints, self.position) else {
            return Ok(());
        };
        checkpoints.save(position, state)?;
        let epoch = position.epochs;
        let recent = (epoch + 1).saturating_sub(self.kept_checkpoints)..=epoch;
        let epochs = recent.chain(self.log.best_epoch()).map(Position::after_epoch);
        let kept: BTreeSet<Position> = epochs.chain([position]).collect();
        checkpoints.keep_only(&kept)
    }

    /// The position of the last checkpoint, if there is one.
    pub(crate) fn last_checkpoint(&self) -> Option<Position> {
        let positions = self.checkpoints.as_ref()?.positions().ok()?;
        positions.last().copied()
    }
}
