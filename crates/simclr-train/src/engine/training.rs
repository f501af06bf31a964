//! Training of a model on views.

use std::sync::Arc;

use burn::tensor::Device;
use simclr_eval::EvalError;
use simclr_model::{Encoder, SimClr, save_weights_with};
use simclr_range::OutOfRange;

use crate::engine::chunk_statistics::ChunkStatistics;
use crate::engine::contrastive_step::ContrastiveStep;
use crate::engine::device::device_name;
use crate::engine::opened_run::OpenedRun;
use crate::engine::running_statistics::has_running_statistics;
use crate::engine::trained::Trained;
use crate::engine::trainer::Trainer;
use crate::engine::training_loop::{Outcome, TrainingLoop};
use crate::engine::training_state::TrainingState;
use crate::error::TrainError;
use crate::rate::learning_rate_curve::LearningRateCurve;
use crate::rate::range_test::RangeTest;
use crate::rate::run_schedule::RunSchedule;
use crate::run::checkpoint::Loaded;
use crate::run::device_change::DeviceChange;
use crate::run::position::Position;
use crate::run::run_directory::RunDirectory;
use crate::run::run_lock::RunLock;
use crate::run::summary::Summary;
use crate::views::labels::check_labels;
use crate::views::view_loader::{StepLayout, ViewLoader};
use crate::views::view_source::ViewSource;
use crate::watch::dashboard::Dashboard;
use crate::watch::metrics_log::MetricsLog;
use crate::watch::monitor::{Monitor, Observation, ProbeFigure};

impl Trainer {
    /// Trains `model`, which is on `device`; the device must differentiate ([`Device::autodiff`]). `monitor` judges the
    /// encoder before the first epoch and after each.
    ///
    /// # Errors
    ///
    /// [`TrainError`]: fewer examples than a batch, no labels for a loss that needs them, a run directory that cannot be made
    /// or resumed, a source of views or a device that fails. Single examples that cannot be read are skipped and reported in [`Trained::skipped`].
    pub fn train<E: Encoder>(
        self,
        model: SimClr<E>,
        views: impl ViewSource<E::Input>,
        monitor: Option<Box<dyn Monitor<E>>>,
        device: &Device,
    ) -> Result<Trained<E>, TrainError> {
        Training::new(&self, &model.encoder, Arc::new(views), device)?.run(model, monitor)
    }

    /// Tries learning rates on `model` and `views`, see [`RangeTest`]. The test trains this model alone; the trainer
    /// and its run stay as they are.
    ///
    /// # Errors
    ///
    /// As [`train`](Self::train), and [`TrainError::Interrupted`].
    pub fn range_test<E: Encoder>(
        &self,
        test: RangeTest,
        model: SimClr<E>,
        views: impl ViewSource<E::Input>,
        device: &Device,
    ) -> Result<LearningRateCurve, TrainError> {
        Training::new(self, &model.encoder, Arc::new(views), device)?.range_test(test, model)
    }
}

/// A trainer with its views and devices, which suit each other.
struct Training<'a, I> {
    trainer: &'a Trainer,
    views: Arc<dyn ViewSource<I>>,
    devices: Vec<Device>,
    layout: StepLayout,
}

impl<'a, I: Send + 'static> Training<'a, I> {
    /// # Errors
    ///
    /// [`TrainError::TooFewExamples`]; [`TrainError::Unlabelled`] or [`TrainError::OneClass`] if the loss contrasts
    /// classes; or [`TrainError::OutOfRange`] for sizes that don't suit the devices or the
    /// encoder, or for a number of views that the loss doesn't take.
    fn new(
        trainer: &'a Trainer,
        encoder: &impl Encoder<Input = I>,
        views: Arc<dyn ViewSource<I>>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let config = &trainer.config;
        if views.len() < config.batch_size {
            let (batch_size, found) = (config.batch_size, views.len());
            return Err(TrainError::TooFewExamples { batch_size, found });
        }
        if trainer.loss.needs_labels() {
            check_labels(&*views)?;
        }
        trainer.loss.check_views(views.views_per_example())?;
        let more = trainer.more_devices.iter().map(|device| device.clone().autodiff());
        let devices: Vec<Device> = std::iter::once(device.clone()).chain(more).collect();
        config.precision.check(&devices)?;
        let layout = StepLayout {
            batch_size: config.batch_size,
            chunk_size: config.examples_in_chunk(devices.len()),
            steps_per_epoch: config.steps_in_epoch(views.len()),
        };
        if config.chunk_size.is_none() {
            let expected = format!("a multiple of {}, the number of devices", devices.len());
            let legal = layout.batch_size.is_multiple_of(devices.len());
            OutOfRange::unless(legal, "batch_size", expected, layout.batch_size)?;
        }
        if layout.chunk_size < layout.batch_size && has_running_statistics(encoder) {
            let expected = format!(
                "the batch size, {}, as the encoder has batch normalisation and chunk_statistics is \"refuse\"",
                layout.batch_size
            );
            let legal = config.chunk_statistics != ChunkStatistics::Refuse;
            OutOfRange::unless(legal, "chunk_size", expected, layout.chunk_size)?;
        }
        Ok(Self { trainer, views, devices, layout })
    }

    fn run<E: Encoder<Input = I>>(
        self,
        model: SimClr<E>,
        monitor: Option<Box<dyn Monitor<E>>>,
    ) -> Result<Trained<E>, TrainError> {
        let Trainer { config, progress, interrupter, .. } = self.trainer;
        let run = self.trainer.open_run(self.device_names(), self.devices.len())?;
        let _lock = run.as_ref().map(|run| RunLock::hold(run.directory.path())).transpose()?;
        let Loaded { mut state, position, refused } = self.state(model, run.as_ref())?;
        let directory = run.as_ref().map(|run| &run.directory);
        let mut log = MetricsLog::default();
        if let Some(OpenedRun { directory, config, .. }) = &run {
            directory.write_config(config)?;
            log = MetricsLog::open(&directory.metrics(), &directory.tensorboard(), position)?;
        }
        let checkpoint = (position.epochs > 0).then_some(position.epochs);
        let renderer = progress.renderer(interrupter, checkpoint);
        let (steps_per_epoch, step) =
            (self.layout.steps_per_epoch, self.step(&state.model.encoder));
        let changes = run.as_ref().map_or(&[][..], |run| &run.config.made_with.epoch_changes);
        let mut training = TrainingLoop {
            epochs: config.epochs,
            warmup_epochs: config.warmup_epochs,
            steps_per_epoch,
            position,
            schedule: RunSchedule::new(config, steps_per_epoch, changes),
            views: self.loader(self.layout),
            chance_level: step.chance_level(config.batch_size, self.views.views_per_example()),
            step,
            monitor,
            monitor_every: config.monitor_every,
            stop_when_flat: config.stop_when_flat,
            log,
            checkpoints: directory.map(RunDirectory::checkpoints),
            kept_checkpoints: self.trainer.kept_checkpoints,
            dashboard: Dashboard::new(renderer, interrupter),
            interrupter: interrupter.clone(),
            at_chance_level: 0,
        };
        for damaged in refused {
            let text = format!("{damaged}; resuming from {position} instead");
            training.warn(position.epochs, text)?;
        }
        let before = run.as_ref().and_then(|run| run.devices_before);
        if let Some(before) = before.filter(|_| position != Position::START) {
            let has_statistics = has_running_statistics(&state.model.encoder);
            let change = DeviceChange::new(config, before, self.devices.len(), has_statistics);
            change.map_or(Ok(()), |change| training.warn(position.epochs, change.to_string()))?;
        }
        let outcome = TrainError::catch("a device", || training.run(&mut state))
            .map_err(|error| error.with_checkpoint(training.last_checkpoint()))?;
        let TrainingLoop { log, position, dashboard, .. } = training;
        drop(dashboard); // Restores the terminal.

        let skipped = log.skipped();
        let mut interrupted = matches!(outcome, Outcome::Interrupted);
        let mut summary = Summary::new(log.epochs(), config, self.device_names(), skipped.len());
        let made_with = run.as_ref().map(|run| &run.config.made_with);
        let weights = made_with.map_or(self.trainer.weights.as_ref(), |made| made.weights.as_ref());
        summary.first_weights = weights.map(ToString::to_string);
        let encoder = state.encoder();
        let summary = match outcome {
            Outcome::Finished(observed) => {
                let observation = observed.map(|observed| observed.observation);
                let (summary, whole) = self.leave(directory, &encoder, summary, observation)?;
                interrupted = !whole;
                summary
            }
            // Before the first step there is nothing to leave, and after the last one it is there already.
            Outcome::Interrupted
                if position == Position::START || position.epochs >= config.epochs =>
            {
                summary
            }
            Outcome::Interrupted => self.leave(directory, &encoder, summary, None)?.0,
        };
        Ok(Trained { encoder, summary, skipped, position, interrupted })
    }

    fn range_test<E: Encoder<Input = I>>(
        self,
        test: RangeTest,
        model: SimClr<E>,
    ) -> Result<LearningRateCurve, TrainError> {
        let Trainer { config, interrupter, .. } = self.trainer;
        let layout = StepLayout { steps_per_epoch: test.steps(), ..self.layout };
        let (step, views) = (self.step(&model.encoder), self.loader(layout).with_epochs(1));
        let stop = || interrupter.should_stop();
        test.run(TrainingState::new(model, config, &self.devices[0]), &step, &views, stop)
    }

    /// The step on these devices.
    fn step<E: Encoder>(&self, encoder: &E) -> ContrastiveStep<E> {
        let (loss, precision) = (self.trainer.loss.clone(), self.trainer.config.precision);
        ContrastiveStep::new(loss, precision, self.devices.clone(), encoder)
    }

    /// Views in steps of this layout.
    fn loader(&self, layout: StepLayout) -> ViewLoader<I> {
        let config = &self.trainer.config;
        ViewLoader::new(Arc::clone(&self.views), layout, config.seed, &self.devices)
            .with_max_skipped(config.max_skipped)
            .with_epochs(config.epochs)
    }

    /// The names of the devices, with commas.
    fn device_names(&self) -> String {
        self.devices.iter().map(device_name).collect::<Vec<_>>().join(",")
    }

    /// The state before the first step of this process: the last checkpoint of a run that is resumed, else the model as
    /// it is.
    fn state<E: Encoder>(
        &self,
        model: SimClr<E>,
        run: Option<&OpenedRun>,
    ) -> Result<Loaded<E>, TrainError> {
        let new = |model| TrainingState::new(model, &self.trainer.config, &self.devices[0]);
        if let Some(run) = run.filter(|_| self.trainer.resumes)
            && let Some(loaded) = run.directory.checkpoints().load_latest(|| new(model.clone()))?
        {
            return Ok(loaded);
        }
        Ok(Loaded { state: new(model), position: Position::START, refused: Vec::new() })
    }

    /// Writes the run's results, and says whether they are all. The weights come first, so that an evaluation that fails
    /// cannot lose them. If the run is told to stop while the probe learns, the summary is left to the run that goes on.
    fn leave<E: Encoder>(
        &self,
        run: Option<&RunDirectory>,
        encoder: &E,
        mut summary: Summary,
        observation: Option<Box<dyn Observation>>,
    ) -> Result<(Summary, bool), TrainError> {
        if let Some(run) = run {
            save_weights_with(encoder, &self.trainer.weight_metadata, run.encoder_weights())?;
        }
        if let Some(observation) = observation {
            match observation.linear_probe() {
                Ok(Some(ProbeFigure { top1, protocol })) => {
                    summary.linear_probe = Some(top1);
                    summary.linear_probe_by = Some(protocol);
                }
                Ok(None) => {}
                Err(EvalError::Stopped) => return Ok((summary, false)),
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(run) = run {
            run.write_summary(&summary)?;
        }
        Ok((summary, true))
    }
}
