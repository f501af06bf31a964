//! The errors of training.

pub(crate) mod stopped;

use std::io;
use std::path::{Path, PathBuf};

use simclr_augment::AugmentationError;
use simclr_data::DataError;
use simclr_embed::EmbedError;
use simclr_eval::EvalError;
use simclr_model::{ModelError, WeightError};
use simclr_range::OutOfRange;
use thiserror::Error;

use crate::run::position::{Position, saved};

/// A run that cannot start, or had to stop.
///
/// Checkpoints from before the error stay, so that the run can be resumed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A value of the config is out of range, by itself or for the devices or the encoder at hand.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// The data set is smaller than one batch.
    #[error(
        "expected at least {batch_size} examples, one batch, found {found}; ask for a smaller batch_size"
    )]
    TooFewExamples {
        /// Examples of a batch.
        batch_size: usize,
        /// Examples of the data set.
        found: usize,
    },
    /// The loss contrasts classes, and some examples have none.
    #[error(
        "expected a label for each of {examples} examples, as this loss contrasts classes, found {unlabelled} without; take images in class folders, or a loss that needs no labels, such as nt-xent"
    )]
    Unlabelled {
        /// Examples without a label.
        unlabelled: usize,
        /// Examples of the data set.
        examples: usize,
    },
    /// The loss contrasts classes, and there is one alone.
    #[error(
        "expected examples of at least 2 classes, as this loss contrasts classes, found {examples} of one class; take a loss that needs no labels, such as nt-xent"
    )]
    OneClass {
        /// Examples of the data set.
        examples: usize,
    },
    /// The settings of the encoder and the views cannot be written to the run's `config.toml`.
    #[error("cannot record [{name}] of the run: {reason}")]
    Subject {
        /// The table's name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A device name that is unknown, or of a backend that was not built in.
    #[error("expected a device out of {known}, found \"{found}\"{hint}")]
    Device {
        /// The name that was given.
        found: String,
        /// The names that this build knows.
        known: String,
        /// How to build the backend in, if it is known; else empty.
        hint: String,
    },
    /// The backend of a device was built in, and this machine has no such device, or no driver for it.
    #[error(
        "expected a device for \"{name}\", found none that works: {reason}; {}",
        what_there_is(name)
    )]
    NoDevice {
        /// The name that was given.
        name: String,
        /// What failed.
        reason: String,
    },
    /// A device of another machine cannot be reached, or refuses.
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
    /// An unknown recipe name.
    #[error("expected a recipe out of {known}, found \"{found}\"")]
    Recipe {
        /// The name that was given.
        found: String,
        /// All names.
        known: String,
    },
    /// The folder of a new run is not empty.
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
        /// The number of names tried.
        tried: usize,
    },
    /// The folder of a new run holds a run that was interrupted.
    #[error("expected an empty folder for the run, found a run in {} that has not ended, after {position} of {epochs}", path.display())]
    RunUnfinished {
        /// The folder.
        path: PathBuf,
        /// Where that run stands.
        position: Position,
        /// Its number of epochs.
        epochs: usize,
    },
    /// Another process trains the run.
    #[error("expected a run that no other process trains, found one that does in {}", path.display())]
    Running {
        /// The run's folder.
        path: PathBuf,
    },
    /// The folder is not that of a run.
    #[error("expected a run directory with {missing}, found none in {}", path.display())]
    NotARun {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        missing: &'static str,
    },
    /// The run to resume has another config.
    #[error("cannot resume with another {field}: the run in {} has {found}, not {expected}", path.display())]
    OtherConfig {
        /// The run directory.
        path: PathBuf,
        /// The setting that differs.
        field: String,
        /// Its value in the new config.
        expected: String,
        /// Its value in the run's config.
        found: String,
    },
    /// A file of the run directory is not in the format of this version.
    #[error("cannot read {}: {reason}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// A checkpoint is damaged, or of another model.
    #[error("cannot resume from the checkpoint {}: {reason}", path.display())]
    Checkpoint {
        /// The checkpoint's folder.
        path: PathBuf,
        /// The part that is wrong, and how.
        reason: String,
    },
    /// A checkpoint cannot be written.
    #[error("cannot save the checkpoint {}: {reason}", path.display())]
    CheckpointNotSaved {
        /// The checkpoint's folder.
        path: PathBuf,
        /// What failed.
        reason: String,
    },
    /// A file or folder cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The action that failed: "create", "write", ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The data set is not the one that the run to resume learnt from.
    #[error("the data is not the run's: {difference}, since the run in {} began", path.display())]
    OtherData {
        /// The run directory.
        path: PathBuf,
        /// What differs, in words.
        difference: String,
    },
    /// More examples than allowed cannot be read, see [`TrainConfig::max_skipped`](crate::TrainConfig::max_skipped).
    #[error(
        "expected at most {} % of {examples} examples to be unreadable, found {skipped} so far; the first: {first}", 100.0 * limit
    )]
    TooManySkipped {
        /// The number of distinct examples that cannot be read.
        skipped: usize,
        /// Examples of the data set.
        examples: usize,
        /// The share that may be unreadable, in 0..=1.
        limit: f64,
        /// Why the first cannot be read.
        first: String,
    },
    /// No example of an epoch could be read.
    #[error("expected readable examples, found {skipped} that are not; the first: {first}")]
    NoReadableExample {
        /// The number of examples tried.
        skipped: usize,
        /// Why the first could not be read.
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
        /// Whether the parameters are finite, in words.
        state: String,
    },
    /// A step overflowed in f16 although the loss is not scaled up any more, see
    /// [`Precision::F16`](crate::Precision::F16).
    #[error(
        "the gradients overflow in f16: in step {step} of epoch {epoch}, at a learning rate of {learning_rate:.2e}, still at the smallest loss scale, 1; train in bf16 or f32; the checkpoints before it are kept"
    )]
    Overflow {
        /// The epoch, from 1.
        epoch: usize,
        /// The step within the epoch, from 1.
        step: usize,
        /// The step's learning rate.
        learning_rate: f64,
    },
    /// A parameter or a running statistic of the model is NaN or infinite where a checkpoint would be saved.
    #[error(
        "expected a model of finite numbers after {position}, found NaN or infinity in {tensor}{}, so that it is not saved; {}", others(*.more), saved(*.checkpoint)
    )]
    NotFinite {
        /// Where the run stands.
        position: Position,
        /// The first such tensor of the model.
        tensor: String,
        /// The number of other tensors like it.
        more: usize,
        /// The position of the run's last checkpoint, if it has one.
        checkpoint: Option<Position>,
    },
    /// The loss fell at no rate of a learning-rate range test.
    #[error(
        "expected a learning rate that lowers the loss, found none among {tried}; pass one yourself"
    )]
    NoLearningRate {
        /// The number of rates tried.
        tried: usize,
    },
    /// A range test was stopped, before training began.
    #[error("stopped before training began")]
    Interrupted,
    /// A device failed, or code of the run panicked.
    #[error("training stopped: {reason}; {}", saved(*.checkpoint))]
    Stopped {
        /// What failed.
        reason: String,
        /// The position of the run's last checkpoint, if it has one.
        checkpoint: Option<Position>,
    },
    /// The data set failed as a whole.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A value of the augmentation's config is out of range, or the augmentation failed on an image.
    #[error(transparent)]
    Augmentation(#[from] AugmentationError),
    /// A value of the model's config is out of range.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The evaluation during training failed.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A weight file cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightError),
    /// Images cannot be embedded.
    #[error(transparent)]
    Embed(#[from] EmbedError),
}

/// ` and 3 others`; empty for none.
fn others(more: usize) -> String {
    match more {
        0 => String::new(),
        1 => " and 1 other".to_owned(),
        more => format!(" and {more} others"),
    }
}

impl TrainError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}

/// What the devices of a backend need, and how to see which there are.
fn what_there_is(device: &str) -> &'static str {
    match device.split(':').next() {
        Some("cuda") => {
            "it needs NVIDIA's driver; `nvidia-smi` lists the GPUs that the driver finds"
        }
        Some("metal") => "`system_profiler SPDisplaysDataType` lists the GPUs",
        Some("vulkan") => {
            "it needs a Vulkan driver; `vulkaninfo --summary` lists the GPUs that drivers find"
        }
        _ => {
            "it needs a driver for Vulkan, Metal or DirectX 12; `vulkaninfo --summary` lists the GPUs that Vulkan finds"
        }
    }
}
