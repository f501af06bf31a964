//! The folder of one run.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use simclr_files::{create_folders, replace_file};

use crate::error::TrainError;
use crate::run::bounded_text::{MOST_TEXT, read_text};
use crate::run::checkpoint::CheckpointFolder;
use crate::run::position::Position;
use crate::run::run_config::RunConfig;
use crate::run::summary::Summary;

const CONFIG: &str = "config.toml";
const SUMMARY: &str = "summary.json";

/// The highest number that [`RunDirectory::free_name`] gives a run.
const MOST_RUNS: usize = 9999;

/// The folder of one run:
///
/// | file | content |
/// |---|---|
/// | `config.toml` | all settings of the run: a [`RunConfig`] |
/// | `data.index` | where the images are, if they are in shards or in folders: a resumed run is quicker to begin |
/// | `metrics.jsonl` | the figures of every step and epoch: one [`MetricsLine`](crate::MetricsLine) a line |
/// | `tensorboard/` | the same figures in event files |
/// | `checkpoint/` | the state after the last two epochs, after the best one, and where the run was interrupted: it can be resumed from there |
/// | `encoder.safetensors` | the trained encoder |
/// | `summary.json` | the final figures: a [`Summary`] |
/// | `run.lock` | empty; the process that trains holds it |
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes the directory of a new run, and its parents.
    ///
    /// # Errors
    ///
    /// As [`check_free`](Self::check_free), and [`TrainError::Io`] if it cannot be made.
    pub(crate) fn create(path: &Path, config: &RunConfig) -> Result<Self, TrainError> {
        create_folders(path).map_err(TrainError::io("create", path))?;
        Self::check_free(path)?;
        let run = Self { path: path.to_owned() };
        run.write_config(config)?;
        Ok(run)
    }

    /// Checks that a new run may use the folder at `path`: that it is empty or not there. What a process that was killed
    /// has begun to write counts for nothing.
    ///
    /// # Errors
    ///
    /// [`TrainError::RunUnfinished`] if it holds a run that has not ended, [`TrainError::RunExists`] if it holds
    /// anything else, [`TrainError::Io`] if it cannot be read.
    pub fn check_free(path: impl AsRef<Path>) -> Result<(), TrainError> {
        let path = path.as_ref();
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(TrainError::io("read", path)(error)),
        };
        let begun = |name: PathBuf| {
            name.extension().is_some_and(|end| end == "part")
                && name.to_string_lossy().starts_with(CONFIG)
        };
        if entries.flatten().all(|entry| begun(entry.file_name().into())) {
            return Ok(());
        }
        let unfinished = || -> Option<(Position, usize)> {
            let run = Self::open(path).ok()?;
            let (position, epochs) = (run.position().ok()?, run.config().ok()?.train.epochs);
            (!run.has_ended(epochs)).then_some((position, epochs))
        };
        let path = path.to_owned();
        Err(match unfinished() {
            Some((position, epochs)) => TrainError::RunUnfinished { path, position, epochs },
            None => TrainError::RunExists { path },
        })
    }

    /// Whether the run has done its `epochs` epochs and written its results.
    fn has_ended(&self, epochs: usize) -> bool {
        let summary = self.summary().ok().flatten();
        summary.is_some_and(|summary| summary.epochs >= epochs) && self.encoder_weights().is_file()
    }

    /// Where the run stands: at its last checkpoint, or at its start.
    ///
    /// # Errors
    ///
    /// [`TrainError::Io`] if the folder of the checkpoints cannot be read.
    pub fn position(&self) -> Result<Position, TrainError> {
        Ok(self.checkpoints().positions()?.last().copied().unwrap_or(Position::START))
    }

    /// Opens the directory of a run.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotARun`] if it has no `config.toml`.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, TrainError> {
        let path = path.as_ref();
        if !path.join(CONFIG).is_file() {
            return Err(TrainError::NotARun { path: path.to_owned(), missing: CONFIG });
        }
        Ok(Self { path: path.to_owned() })
    }

    /// The first of `parent/1`, `parent/2`, ... that does not exist: a folder for a new run.
    ///
    /// # Errors
    ///
    /// [`TrainError::NoFreeName`] if there are 9,999 already.
    pub fn free_name(parent: impl AsRef<Path>) -> Result<PathBuf, TrainError> {
        let parent = parent.as_ref();
        let mut names = (1..=MOST_RUNS).map(|number| parent.join(number.to_string()));
        let none = || TrainError::NoFreeName { parent: parent.to_owned(), tried: MOST_RUNS };
        names.find(|path| !path.exists()).ok_or_else(none)
    }

    /// The path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// Reads `config.toml`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Io`] if it cannot be read, [`TrainError::Parse`] if it is not in the format of this version.
    pub fn config(&self) -> Result<RunConfig, TrainError> {
        let path = self.config_file();
        let text = read_text(&path, MOST_TEXT).map_err(TrainError::io("read", &path))?;
        toml::from_str::<RunConfig>(&text)
            .map_err(|error| on_one_line(&text, &error))
            .and_then(RunConfig::checked)
            .map_err(|reason| TrainError::Parse { path, reason })
    }

    /// Reads `summary.json`; `None` if the run still trains, or was killed.
    ///
    /// # Errors
    ///
    /// [`TrainError::Io`] if it cannot be read, [`TrainError::Parse`] if it is not in the format of this version.
    pub fn summary(&self) -> Result<Option<Summary>, TrainError> {
        self.read(SUMMARY)
    }

    /// Reads a JSON file; `None` if there is none.
    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, TrainError> {
        let path = self.path.join(name);
        let text = match read_text(&path, MOST_TEXT) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TrainError::io("read", &path)(error)),
        };
        let parsed = serde_json::from_str(&text);
        parsed.map(Some).map_err(|error| TrainError::Parse { path, reason: error.to_string() })
    }

    /// The path of the trained encoder's weights. The run writes them when it ends.
    #[must_use]
    pub fn encoder_weights(&self) -> PathBuf {
        self.path.join("encoder.safetensors")
    }

    /// The path of the data's index file, as [`Opening::index`](simclr_data::Opening::index) takes it. It is there if the images are in
    /// shards or in folders.
    #[must_use]
    pub fn data_index(&self) -> PathBuf {
        self.path.join("data.index")
    }

    /// The path of `metrics.jsonl`; [`read_metrics`](crate::read_metrics) reads it.
    #[must_use]
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// The folder of TensorBoard's event files, which hold the figures of [`metrics`](Self::metrics).
    #[must_use]
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join("tensorboard")
    }

    pub(crate) fn checkpoints(&self) -> CheckpointFolder {
        CheckpointFolder::new(self.path.join("checkpoint"))
    }

    /// Writes `config.toml`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Subject`] if TOML cannot write a path, [`TrainError::Io`] if the file cannot be written.
    pub(crate) fn write_config(&self, config: &RunConfig) -> Result<(), TrainError> {
        let text = toml::to_string(config).map_err(|error| TrainError::Subject {
            name: "made_with".to_owned(),
            reason: error.to_string(),
        })?;
        self.write(CONFIG, &text)
    }

    pub(crate) fn write_summary(&self, summary: &Summary) -> Result<(), TrainError> {
        let json = serde_json::to_string_pretty(summary).expect("a summary is always JSON");
        self.write(SUMMARY, &format!("{json}\n"))
    }

    /// Writes a file of the directory, as a whole.
    fn write(&self, name: &str, text: &str) -> Result<(), TrainError> {
        let path = self.path.join(name);
        replace_file(&path, |file| file.write_all(text.as_bytes()))
            .map_err(TrainError::io("write", &path))
    }
}

/// What is wrong with a TOML file, and in which line if that is known.
fn on_one_line(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => format!("line {}: {}", before.matches('\n').count() + 1, error.message()),
        None => error.message().to_owned(),
    }
}
