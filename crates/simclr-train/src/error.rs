//! What can stop a pretraining run.

use std::io;
use std::path::{Path, PathBuf};

use simclr_augment::AugmentationError;
use simclr_data::DataError;
use simclr_eval::EvalError;
use simclr_loss::TemperatureError;
use simclr_model::{ModelError, WeightError};
use thiserror::Error;

/// A pretraining run that cannot start, or had to stop.
///
/// What was saved before the error stays: the run directory can be resumed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A value of the config is out of range.
    #[error("expected {field} to be {expected}, found {found}")]
    Config {
        /// The config's field.
        field: &'static str,
        /// Its legal range.
        expected: String,
        /// The value that was given.
        found: String,
    },
    /// A device name that is unknown, or stands for a backend this program was built without.
    #[error("expected a device out of {known}, found \"{found}\"{hint}")]
    Device {
        /// The name that was given.
        found: String,
        /// The names this build knows.
        known: String,
        /// What to do about it, if that is known.
        hint: String,
    },
    /// A device of another machine that cannot be reached, or refuses.
    #[error("cannot use the device {name}: {reason}")]
    RemoteDevice {
        /// The name that was given.
        name: String,
        /// What failed.
        reason: String,
    },
    /// This machine's devices cannot be served to others.
    #[error("cannot serve devices: {reason}")]
    Serve {
        /// What failed.
        reason: String,
    },
    /// A recipe name that is unknown.
    #[error("expected a recipe out of {known}, found \"{found}\"")]
    Recipe {
        /// The name that was given.
        found: String,
        /// The names there are.
        known: String,
    },
    /// The output folder already holds something.
    #[error("expected an empty folder for the run, found files in {}; name another folder, or resume that run", path.display())]
    RunExists {
        /// The folder.
        path: PathBuf,
    },
    /// The folder to resume from is not a run.
    #[error("expected a run directory with {missing}, found none in {}", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What it lacks.
        missing: &'static str,
    },
    /// The run to resume was made with another config.
    #[error("cannot resume with another {field}: the run in {} has {found}, asked for was {expected}", path.display())]
    OtherConfig {
        /// The run directory.
        path: PathBuf,
        /// The section of the config that differs.
        field: String,
        /// What was asked for.
        expected: String,
        /// What the run has.
        found: String,
    },
    /// A file of the run directory that cannot be understood.
    #[error("cannot read {}: {reason}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// A checkpoint that is torn, foreign, or of another architecture.
    #[error("cannot resume from the checkpoint {}: {reason}", path.display())]
    Checkpoint {
        /// The checkpoint's folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint that cannot be written.
    #[error("cannot save the checkpoint {}: {reason}", path.display())]
    CheckpointNotSaved {
        /// The checkpoint's folder.
        path: PathBuf,
        /// What failed.
        reason: String,
    },
    /// A file or folder that cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried: "create", "write", ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// No image of a whole epoch could be read.
    #[error("expected readable images, found {skipped} that are not; the first: {first}")]
    NoReadableImage {
        /// How many images were tried.
        skipped: usize,
        /// What is wrong with the first.
        first: String,
    },
    /// The loss is not a number any more.
    #[error(
        "the loss became {found} in step {step} of epoch {epoch}, at a learning rate of {learning_rate:.2e}; {state}; a lower learning rate or a higher temperature may help, and the checkpoints before it are kept"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The step within the epoch, from 1.
        step: usize,
        /// The loss.
        found: f64,
        /// The step's learning rate.
        learning_rate: f64,
        /// What became of the parameters.
        state: String,
    },
    /// The learning-rate range test saw no rate that lowers the loss.
    #[error(
        "expected a learning rate that lowers the loss, found none among {tried}; pass one yourself"
    )]
    NoLearningRate {
        /// How many were tried.
        tried: usize,
    },
    /// Asked to stop before there was anything to keep.
    #[error("stopped before training began")]
    Interrupted,
    /// A device failed, or a piece of code that works for the run panicked.
    #[error("training stopped: {reason}; {}", saved(*.checkpoint))]
    Stopped {
        /// What failed.
        reason: String,
        /// The epoch of the run's last checkpoint, from which it can be resumed.
        checkpoint: Option<usize>,
    },
    /// The data set failed as a whole.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The augmentation's config is wrong, or it failed on an image.
    #[error(transparent)]
    Augmentation(#[from] AugmentationError),
    /// The model's config is wrong.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model's weights cannot be loaded or saved.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// The evaluation during training failed.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// The loss's temperature is wrong.
    #[error(transparent)]
    Temperature(#[from] TemperatureError),
}

fn saved(checkpoint: Option<usize>) -> String {
    match checkpoint {
        Some(epoch) => format!("the checkpoint of epoch {epoch} is kept, resume from it"),
        None => "there is no checkpoint yet".to_owned(),
    }
}

impl TrainError {
    /// [`Stopped`](Self::Stopped), before it is known what was saved.
    pub(crate) fn stopped(reason: impl Into<String>) -> Self {
        Self::Stopped { reason: reason.into(), checkpoint: None }
    }

    /// What `work` returns, or its panic as an error: that is how Burn reports a device that fails.
    pub(crate) fn catch<T>(what: &str, work: impl FnOnce() -> Result<T, Self>) -> Result<T, Self> {
        // Whatever a panic leaves behind is dropped with the run.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        outcome.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            let text = text.unwrap_or("for an unknown reason");
            Err(Self::stopped(format!("{what} failed: {text}")))
        })
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    pub(crate) fn config(
        field: &'static str,
        expected: impl Into<String>,
        found: impl std::fmt::Display,
    ) -> Self {
        Self::Config { field, expected: expected.into(), found: found.to_string() }
    }
}
