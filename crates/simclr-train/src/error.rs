//! What can stop a pretraining run.

use std::io;
use std::path::{Path, PathBuf};

use simclr_augment::AugmentationError;
use simclr_data::DataError;
use simclr_embed::EmbedError;
use simclr_eval::EvalError;
use simclr_model::{ModelError, WeightError};
use simclr_range::OutOfRange;
use thiserror::Error;

/// A pretraining run that cannot start, or had to stop.
///
/// What was saved before the error stays: the run directory can be resumed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A value of the config is out of range, by itself or for the devices or the encoder at hand.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// Fewer examples than one batch.
    #[error(
        "expected at least {batch_size} examples, one batch, found {found}; ask for a smaller batch_size"
    )]
    TooFewExamples {
        /// Examples of a batch.
        batch_size: usize,
        /// Examples there are.
        found: usize,
    },
    /// What a run is to record of its encoder and views cannot be written to its `config.toml`.
    #[error("cannot record [{name}] of the run: {reason}")]
    Subject {
        /// The table's name.
        name: String,
        /// Why.
        reason: String,
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
    /// Every name for a new run is taken.
    #[error("expected a free name for a run below {}, found {tried} runs", parent.display())]
    NoFreeName {
        /// The folder that holds the runs.
        parent: PathBuf,
        /// How many names were tried.
        tried: usize,
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
    /// No example of a whole epoch could be read.
    #[error("expected readable images, found {skipped} that are not; the first: {first}")]
    NoReadableImage {
        /// How many images were tried.
        skipped: usize,
        /// What is wrong with the first.
        first: String,
    },
    /// The loss is NaN or infinite.
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
    /// The evaluation during training failed.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A weight file that cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// Images that cannot be embedded.
    #[error(transparent)]
    Embed(#[from] EmbedError),
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

    /// The error, with the epoch of the checkpoint that the run can be resumed from.
    pub(crate) fn with_checkpoint(self, checkpoint: Option<usize>) -> Self {
        match self {
            Self::Stopped { reason, .. } => Self::Stopped { reason, checkpoint },
            other => other,
        }
    }
}
