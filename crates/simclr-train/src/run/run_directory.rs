//! The folder of one run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use simclr_data::replace_file;
use simclr_model::Encoder;

use crate::engine::training_state::TrainingState;
use crate::error::TrainError;
use crate::rate::learning_rate_curve::LearningRateCurve;
use crate::run::checkpoint::{CheckpointFolder, Loaded};
use crate::run::run_config::RunConfig;
use crate::run::summary::Summary;

const CONFIG: &str = "config.toml";
const SUMMARY: &str = "summary.json";
const LEARNING_RATE: &str = "learning-rate.json";

/// The highest number that [`RunDirectory::free_name`] gives a run.
const MOST_RUNS: usize = 9999;

/// The folder of one run:
///
/// | file | content |
/// |---|---|
/// | `config.toml` | all settings of the run: a [`RunConfig`] |
/// | `learning-rate.json` | the curve of the range test, if one chose the learning rate: a [`LearningRateCurve`] |
/// | `metrics.jsonl` | the figures of every step and epoch: one [`MetricsLine`](crate::MetricsLine) a line |
/// | `tensorboard/` | the same figures in event files |
/// | `checkpoint/` | the state after the last two epochs and after the best one, from which the run can be resumed |
/// | `encoder.safetensors` | the trained encoder |
/// | `summary.json` | the final figures: a [`Summary`] |
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Makes the directory of a new run, and its parents.
    ///
    /// # Errors
    ///
    /// [`TrainError::RunExists`] if it is not empty, [`TrainError::Io`] if it cannot be made.
    pub(crate) fn create(path: &Path, config: &RunConfig) -> Result<Self, TrainError> {
        std::fs::create_dir_all(path).map_err(TrainError::io("create", path))?;
        let mut entries = std::fs::read_dir(path).map_err(TrainError::io("read", path))?;
        if entries.next().is_some() {
            return Err(TrainError::RunExists { path: path.to_owned() });
        }
        let run = Self { path: path.to_owned() };
        let text = toml::to_string(config).expect("a config holds nothing that TOML cannot write");
        run.write(CONFIG, &text)?;
        Ok(run)
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
        let text = std::fs::read_to_string(&path).map_err(TrainError::io("read", &path))?;
        toml::from_str::<RunConfig>(&text)
            .map_err(|error| error.to_string().trim().to_owned())
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

    /// Reads `learning-rate.json`; `None` if no range test chose the run's learning rate.
    ///
    /// # Errors
    ///
    /// Those of [`summary`](Self::summary).
    pub fn learning_rate_curve(&self) -> Result<Option<LearningRateCurve>, TrainError> {
        self.read(LEARNING_RATE)
    }

    /// Reads a JSON file; `None` if there is none.
    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, TrainError> {
        let path = self.path.join(name);
        let text = match std::fs::read_to_string(&path) {
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

    pub(crate) fn load_latest_checkpoint<E: Encoder>(
        &self,
        new: impl Fn() -> TrainingState<E>,
    ) -> Result<Loaded<E>, TrainError> {
        let missing = "a complete checkpoint";
        let path = self.path.clone();
        self.checkpoints().load_latest(new)?.ok_or(TrainError::NotARun { path, missing })
    }

    pub(crate) fn write_summary(&self, summary: &Summary) -> Result<(), TrainError> {
        let json = serde_json::to_string_pretty(summary).expect("a summary is always JSON");
        self.write(SUMMARY, &format!("{json}\n"))
    }

    pub(crate) fn write_learning_rate_curve(
        &self,
        curve: &LearningRateCurve,
    ) -> Result<(), TrainError> {
        let json = serde_json::to_string(curve).expect("finite numbers are always JSON");
        self.write(LEARNING_RATE, &format!("{json}\n"))
    }

    /// Refuses a config, subject or data set that is not the run's own. Only the number of epochs may change.
    pub(crate) fn check_same(&self, asked: &RunConfig) -> Result<(), TrainError> {
        let other = |field: &str, expected: String, found: Option<String>| {
            let (path, field) = (self.path.clone(), field.to_owned());
            let found = found.unwrap_or_else(|| "none".to_owned());
            Err(TrainError::OtherConfig { path, field, expected, found })
        };
        let run = self.config()?;
        if run.made_with.data != asked.made_with.data {
            return other("data set", asked.made_with.data.clone(), Some(run.made_with.data));
        }
        let (mut run_values, mut asked_values) = (settings(&run), settings(asked));
        for values in [&mut run_values, &mut asked_values] {
            values.remove("train.epochs");
        }
        let names: BTreeSet<&String> = run_values.keys().chain(asked_values.keys()).collect();
        for name in names {
            let (found, expected) = (run_values.get(name), asked_values.get(name));
            if found != expected {
                let expected = expected.map_or_else(|| "none".to_owned(), ToString::to_string);
                return other(name, expected, found.map(ToString::to_string));
            }
        }
        Ok(())
    }

    /// Writes a file of the directory, as a whole.
    fn write(&self, name: &str, text: &str) -> Result<(), TrainError> {
        let path = self.path.join(name);
        replace_file(&path, |file| file.write_all(text.as_bytes()))
            .map_err(TrainError::io("write", &path))
    }
}

/// The settings of a run's `[train]` and subject by path: `train.epochs`.
fn settings(config: &RunConfig) -> toml::Table {
    let train = toml::Value::try_from(&config.train);
    let train = train.expect("a config holds nothing that TOML cannot write");
    let mut tables = config.subject.clone();
    tables.insert("train".to_owned(), train);
    let of_table = |(table, values): (String, toml::Value)| {
        let values = values.as_table().cloned().unwrap_or_default();
        values.into_iter().map(move |(name, value)| (format!("{table}.{name}"), value))
    };
    tables.into_iter().flat_map(of_table).collect()
}
