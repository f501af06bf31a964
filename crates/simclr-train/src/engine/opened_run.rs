//! The folder of a run: it begins there, or goes on.

use std::path::Path;

use crate::engine::trainer::Trainer;
use crate::error::TrainError;
use crate::rate::rate_change::RateChange;
use crate::run::epoch_change::{AskedEpochs, EpochChange};
use crate::run::run_config::{MadeWith, RunConfig};
use crate::run::run_directory::RunDirectory;
use crate::run::same_run::{check_data, check_settings};

/// The folder of a run that begins or goes on.
pub(crate) struct OpenedRun {
    pub(crate) directory: RunDirectory,
    /// What its `config.toml` says from now on.
    pub(crate) config: RunConfig,
}

impl Trainer {
    /// Keeps the run in a new [`RunDirectory`](crate::RunDirectory) at `path`, which must be empty or not there.
    #[must_use]
    pub fn with_directory(self, path: impl AsRef<Path>) -> Self {
        Self { directory: Some(path.as_ref().to_owned()), resumes: false, ..self }
    }

    /// Continues the run in `path` after its last checkpoint, as if it had not been stopped; a run that has none yet
    /// begins. Config, subject and data must be the run's own; only `epochs` and `max_skipped` may change. If a checkpoint
    /// is damaged, the trainer warns and takes the one before it.
    ///
    /// With another number of epochs, the schedule is that of a run which had them from the start, so that the rate jumps:
    /// [`rate_change`](Self::rate_change) says how. The run's `config.toml` keeps the change.
    #[must_use]
    pub fn with_resumed(self, path: impl AsRef<Path>) -> Self {
        Self { directory: Some(path.as_ref().to_owned()), resumes: true, ..self }
    }

    /// Begins a new schedule, with a warm-up of its own, for the epochs that a [resumed](Self::with_resumed) run gets
    /// beyond its own. It is the schedule of a run of what is left to train.
    #[must_use]
    pub fn with_restarted_schedule(self) -> Self {
        Self { restarts_schedule: true, ..self }
    }

    /// Lets a [resumed](Self::with_resumed) run go on with examples that are not its own. From then on they are.
    #[must_use]
    pub fn with_other_data_accepted(self) -> Self {
        Self { accepts_other_data: true, ..self }
    }

    /// Makes the run's folder, or opens that of the run to resume, whose `config.toml` still is the old one; `None` for a
    /// run that writes nothing.
    pub(crate) fn open_run(&self, devices: String) -> Result<Option<OpenedRun>, TrainError> {
        let Some(path) = &self.directory else { return Ok(None) };
        let mut made_with = MadeWith::now(devices, self.data.clone());
        made_with.weights.clone_from(&self.weights);
        made_with.source.clone_from(&self.source);
        made_with.checksum.clone_from(&self.checksum);
        let subject = self.subject.clone();
        let config = RunConfig { made_with, train: self.config.clone(), subject };
        if self.resumes {
            return self.open_resumed(path, config).map(Some);
        }
        let directory = RunDirectory::create(path, &config)?;
        if let Some(curve) = &self.learning_rate_curve {
            directory.write_learning_rate_curve(curve)?;
        }
        Ok(Some(OpenedRun { directory, config }))
    }

    fn open_resumed(&self, path: &Path, mut config: RunConfig) -> Result<OpenedRun, TrainError> {
        let directory = RunDirectory::open(path)?;
        let run = directory.config()?;
        check_settings(path, &run, &config)?;
        if !self.accepts_other_data {
            check_data(path, &run, &config)?;
        }
        config.made_with.epoch_changes = self.epoch_changes(&directory, &run)?;
        config.made_with.weights = run.made_with.weights;
        config.made_with.source = config.made_with.source.or(run.made_with.source);
        Ok(OpenedRun { directory, config })
    }

    fn epoch_changes(
        &self,
        directory: &RunDirectory,
        run: &RunConfig,
    ) -> Result<Vec<EpochChange>, TrainError> {
        let (epochs, restarts_schedule) = (self.config.epochs, self.restarts_schedule);
        let asked = AskedEpochs { epochs, restarts_schedule };
        let changes = run.made_with.epoch_changes.clone();
        Ok(asked.changes(changes, run.train.epochs, directory.position()?)?)
    }

    /// What becomes of the learning rate if this trainer resumes a run on `examples` examples with another number of
    /// epochs; `None` if it doesn't.
    ///
    /// # Errors
    ///
    /// [`TrainError`]: a folder without a run, or a number of epochs that the run cannot have.
    pub fn rate_change(&self, examples: usize) -> Result<Option<RateChange>, TrainError> {
        let Some(path) = self.directory.as_ref().filter(|_| self.resumes) else { return Ok(None) };
        let directory = RunDirectory::open(path)?;
        let run = directory.config()?;
        let changes = self.epoch_changes(&directory, &run)?;
        if changes == run.made_with.epoch_changes {
            return Ok(None);
        }
        Ok(RateChange::new(&self.config, self.config.steps_in_epoch(examples), &changes))
    }
}
