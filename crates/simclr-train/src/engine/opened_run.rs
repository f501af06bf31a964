//! The folder of a run that begins or goes on.

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
    /// The number of devices that a run which goes on had before.
    pub(crate) devices_before: Option<usize>,
}

impl Trainer {
    /// Makes the run's folder, or opens that of the run to resume, whose `config.toml` still is the old one; `None` for a
    /// run that writes nothing.
    pub(crate) fn open_run(
        &self,
        names: String,
        devices: usize,
    ) -> Result<Option<OpenedRun>, TrainError> {
        let Some(path) = &self.directory else { return Ok(None) };
        let mut made_with = MadeWith::now(names, devices, self.data.clone());
        made_with.weights.clone_from(&self.weights);
        made_with.source.clone_from(&self.source);
        made_with.checksum.clone_from(&self.checksum);
        let subject = self.subject.clone();
        let config = RunConfig { made_with, train: self.config.clone(), subject };
        let run = if self.resumes {
            self.open_resumed(path, config)?
        } else {
            let directory = RunDirectory::create(path, &config)?;
            OpenedRun { directory, config, devices_before: None }
        };
        if let Some(index) = &self.data_index {
            let path = run.directory.data_index();
            index.write(&path).map_err(TrainError::io("write", &path))?;
        }
        Ok(Some(run))
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
        let devices_before = Some(run.made_with.devices);
        Ok(OpenedRun { directory, config, devices_before })
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
