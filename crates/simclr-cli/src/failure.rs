//! What kind of failure an error is: its exit code, and what to do about it.

use std::io;

use anyhow::Error;
use simclr::data::{DataError, DownloadError};
use simclr::embed::{EmbedError, OutOfRange};
use simclr::eval::EvalError;
use simclr::model::{ModelError, WeightError};
use simclr::report::ReportError;
use simclr::train::TrainError;

/// The page on exit codes in `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed for a reason of its own, such as a loss that became infinite
  2    wrong arguments, or a wrong value in a config
  3    something wrong with the images
  4    something wrong with a file or folder: cannot be read or written, is not what it should be
  130  stopped by Ctrl-C";

/// A mistake in arguments or a config file, beyond what clap sees.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

/// Ctrl-C came.
#[derive(Debug)]
pub(crate) struct Interrupted(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}
impl std::error::Error for Interrupted {}

/// A usage error, for `bail`-like returns.
pub(crate) fn usage(message: impl Into<String>) -> Error {
    Usage(message.into()).into()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Other = 1,
    Usage = 2,
    Images = 3,
    Files = 4,
    Interrupted = 130,
}

/// The kind of the first cause that has one.
pub(crate) fn kind(error: &Error) -> Kind {
    error.chain().find_map(kind_of).unwrap_or(Kind::Other)
}

fn kind_of(error: &(dyn std::error::Error + 'static)) -> Option<Kind> {
    if error.is::<Usage>() {
        return Some(Kind::Usage);
    }
    if error.is::<Interrupted>() {
        return Some(Kind::Interrupted);
    }
    if error.is::<io::Error>() {
        return Some(Kind::Files);
    }
    if let Some(error) = error.downcast_ref::<TrainError>() {
        return of_training(error);
    }
    if let Some(error) = error.downcast_ref::<DataError>() {
        return Some(if matches!(error, DataError::Io { .. }) {
            Kind::Files
        } else {
            Kind::Images
        });
    }
    if error.is::<OutOfRange>() {
        return Some(Kind::Usage);
    }
    if let Some(error) = error.downcast_ref::<EmbedError>() {
        return of_embedding(error);
    }
    if let Some(error) = error.downcast_ref::<EvalError>() {
        return of_evaluation(error);
    }
    if let Some(error) = error.downcast_ref::<ReportError>() {
        return of_report(error);
    }
    if error.is::<DownloadError>() || error.is::<ModelError>() || error.is::<WeightError>() {
        return Some(Kind::Files);
    }
    None
}

fn of_training(error: &TrainError) -> Option<Kind> {
    match error {
        TrainError::Config { .. }
        | TrainError::Device { .. }
        | TrainError::RemoteDevice { .. }
        | TrainError::Recipe { .. }
        | TrainError::OtherConfig { .. }
        | TrainError::Augmentation(_)
        | TrainError::OutOfRange(_) => Some(Kind::Usage),
        TrainError::NoReadableImage { .. } => Some(Kind::Images),
        TrainError::RunExists { .. }
        | TrainError::NotARun { .. }
        | TrainError::Parse { .. }
        | TrainError::Checkpoint { .. }
        | TrainError::CheckpointNotSaved { .. }
        | TrainError::Io { .. }
        | TrainError::Model(_)
        | TrainError::Weights(_) => Some(Kind::Files),
        TrainError::Interrupted => Some(Kind::Interrupted),
        TrainError::Data(error) => kind_of(error),
        TrainError::Eval(error) => of_evaluation(error),
        _ => None,
    }
}

fn of_report(error: &ReportError) -> Option<Kind> {
    match error {
        ReportError::OutOfRange(_) => Some(Kind::Usage),
        ReportError::NoImages { .. } => Some(Kind::Images),
        ReportError::NoEncoder { .. } | ReportError::Write { .. } => Some(Kind::Files),
        ReportError::Run(error) => of_training(error),
        ReportError::Data(error) => kind_of(error),
        ReportError::Embed(error) => of_embedding(error),
        ReportError::Eval(error) => of_evaluation(error),
        _ => None,
    }
}

fn of_evaluation(error: &EvalError) -> Option<Kind> {
    match error {
        EvalError::OutOfRange(_) => Some(Kind::Usage),
        EvalError::Embed(error) => of_embedding(error),
        EvalError::TooFewImages { .. } | EvalError::OneClass { .. } => Some(Kind::Images),
        _ => None,
    }
}

fn of_embedding(error: &EmbedError) -> Option<Kind> {
    match error {
        EmbedError::OutOfRange(_) | EmbedError::Augmentation(_) => Some(Kind::Usage),
        EmbedError::Data(error) => kind_of(error),
        EmbedError::NoImages { .. } | EmbedError::Count { .. } | EmbedError::Unlabelled { .. } => {
            Some(Kind::Images)
        }
        EmbedError::File { .. }
        | EmbedError::FeatureSize { .. }
        | EmbedError::Read { .. }
        | EmbedError::Write { .. }
        | EmbedError::Model(_)
        | EmbedError::Weights(_) => Some(Kind::Files),
        _ => None,
    }
}

/// What the user can do, where that is not in the message.
pub(crate) fn hint(error: &Error) -> Option<&'static str> {
    let full = |error: &io::Error| error.kind() == io::ErrorKind::StorageFull;
    for cause in error.chain() {
        // Some errors have the system's reason in their text alone.
        let no_space = cause.to_string().contains("No space left on device");
        if no_space || cause.downcast_ref::<io::Error>().is_some_and(full) {
            return Some("make room on that disk, or choose another folder with --out");
        }
        match cause.downcast_ref::<DataError>() {
            Some(DataError::NoImages { .. }) => {
                return Some("point --data at a folder of JPEG, PNG or WebP files");
            }
            Some(DataError::Missing { .. }) => {
                return Some("check the path; `simclr data check DIR` says what a folder holds");
            }
            Some(DataError::UnknownClass { .. }) => {
                return Some("the folders of `test` must have the names of those of `train`");
            }
            _ => {}
        }
        match cause.downcast_ref::<TrainError>() {
            Some(TrainError::RunExists { .. }) => {
                return Some("--resume DIR continues a run; --out takes a folder of a new name");
            }
            Some(TrainError::NotARun { .. }) => {
                return Some("`simclr pretrain --out DIR` makes one");
            }
            Some(TrainError::NoLearningRate { .. }) => return Some("pass one, such as --lr 1e-3"),
            Some(TrainError::OtherConfig { .. }) => {
                return Some("resume with the run's own settings and --data, or start a new run");
            }
            _ => {}
        }
    }
    None
}
