//! The folder that holds everything about one run.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use simclr_data::replace_file;
use simclr_model::Encoder;

use crate::checkpoint::{CheckpointFolder, Loaded};
use crate::error::TrainError;
use crate::learning_rate_curve::LearningRateCurve;
use crate::pretrain_config::PretrainConfig;
use crate::summary::Summary;
use crate::training_state::TrainingState;

const CONFIG: &str = "config.toml";
const SUMMARY: &str = "summary.json";
const LEARNING_RATE: &str = "learning-rate.json";

/// A run directory:
///
/// | file | content |
/// |---|---|
/// | `config.toml` | everything needed to repeat the run: a [`RunConfig`] |
/// | `learning-rate.json` | the range test's curve, if one chose the learning rate: a [`LearningRateCurve`] |
/// | `metrics.jsonl` | every step and epoch: one [`MetricsLine`](crate::MetricsLine) a line |
/// | `tensorboard/` | the same figures as event files |
/// | `checkpoint/` | the state after the last two epochs and the best one, to resume from |
/// | `encoder.safetensors` | the trained encoder |
/// | `summary.json` | how it ended: a [`Summary`] |
#[derive(Debug, Clone)]
pub struct RunDirectory {
    path: PathBuf,
}

/// `config.toml` of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Where the run was made.
    pub made_with: MadeWith,
    /// What was asked for.
    pub pretrain: PretrainConfig,
}

/// What a run depends on beside its config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeWith {
    /// Version of this crate.
    pub simclr: String,
    /// Git revision this crate was built from, or "unknown".
    pub revision: String,
    /// The device, as Burn describes it.
    pub device: String,
    /// The data set, in words.
    pub data: String,
    /// The file that the encoder's first weights came from; `None` if they were drawn from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
}

impl MadeWith {
    pub(crate) fn now(device: String, data: String) -> Self {
        Self {
            simclr: env!("CARGO_PKG_VERSION").to_owned(),
            revision: env!("SIMCLR_GIT_REVISION").to_owned(),
            device,
            data,
            weights: None,
        }
    }
}

impl RunDirectory {
    /// Makes the directory of a new run, and its parents.
    ///
    /// # Errors
    ///
    /// [`TrainError::RunExists`] if there is anything in it, [`TrainError::Io`] if it cannot be made.
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

    /// Opens the directory of a run to look at it or to resume it.
    ///
    /// # Errors
    ///
    /// [`TrainError::NotARun`] if it has no `config.toml`.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        if !path.join(CONFIG).is_file() {
            return Err(TrainError::NotARun { path: path.to_owned(), missing: CONFIG });
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads `config.toml`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Io`] if it cannot be read, [`TrainError::Parse`] if it is not what this version
    /// writes.
    pub fn config(&self) -> Result<RunConfig, TrainError> {
        let path = self.path.join(CONFIG);
        let text = std::fs::read_to_string(&path).map_err(TrainError::io("read", &path))?;
        toml::from_str(&text).map_err(|error| TrainError::Parse {
            path,
            reason: error.to_string().trim().to_owned(),
        })
    }

    /// Reads `summary.json`; `None` if the run has not ended, or was killed.
    ///
    /// # Errors
    ///
    /// [`TrainError::Io`] if it cannot be read, [`TrainError::Parse`] if it is not what this version
    /// writes.
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

    /// The trained encoder's weights: written when the run ends.
    #[must_use]
    pub fn encoder_weights(&self) -> PathBuf {
        self.path.join("encoder.safetensors")
    }

    /// The lines of `metrics.jsonl`, see [`read_metrics`](crate::read_metrics).
    #[must_use]
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }

    /// TensorBoard's event files, with the figures of [`metrics`](Self::metrics).
    #[must_use]
    pub fn tensorboard(&self) -> PathBuf {
        self.path.join("tensorboard")
    }

    pub(crate) fn checkpoints(&self) -> CheckpointFolder {
        CheckpointFolder::new(self.path.join("checkpoint"))
    }

    pub(crate) fn load_latest_checkpoint<E: Encoder>(
        &self,
        new: impl Fn() -> Result<TrainingState<E>, TrainError>,
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

    /// Refuses a config or a data set other than the run's own; only the number of epochs may change.
    pub(crate) fn check_same(&self, asked: &PretrainConfig, data: &str) -> Result<(), TrainError> {
        let table = |config: &PretrainConfig| {
            toml::Table::try_from(config).expect("a config holds nothing that TOML cannot write")
        };
        let run = self.config()?;
        if run.made_with.data != data {
            return Err(TrainError::OtherConfig {
                path: self.path.clone(),
                field: "data set".to_owned(),
                expected: data.to_owned(),
                found: run.made_with.data,
            });
        }
        let (asked, found) = (table(asked), table(&run.pretrain));
        for (field, asked) in asked.iter().filter(|(field, _)| *field != "epochs") {
            if found.get(field) != Some(asked) {
                return Err(TrainError::OtherConfig {
                    path: self.path.clone(),
                    field: field.clone(),
                    expected: asked.to_string(),
                    found: found.get(field).map_or_else(|| "none".to_owned(), ToString::to_string),
                });
            }
        }
        Ok(())
    }

    /// Replaces a file in one step: a reader sees the old one or the new one.
    fn write(&self, name: &str, text: &str) -> Result<(), TrainError> {
        let path = self.path.join(name);
        replace_file(&path, |file| file.write_all(text.as_bytes()))
            .map_err(TrainError::io("write", &path))
    }
}
