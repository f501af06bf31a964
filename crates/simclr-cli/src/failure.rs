//! What kind of failure an error is, which is its exit code.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use anyhow::Error;
use simclr::augment::AugmentationError;
use simclr::data::{DataError, DownloadError, PackError, SortError};
use simclr::embed::{EmbedError, OutOfRange};
use simclr::eval::EvalError;
use simclr::explore::ExploreError;
use simclr::model::{ModelError, WeightError};
use simclr::onnx::OnnxError;
use simclr::report::ReportError;
use simclr::train::TrainError;

use crate::causes::causes;

/// The page on exit codes in `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    failed for another reason, such as a loss that became NaN
  2    wrong arguments, a wrong value in a config, or a device that this machine lacks
  3    something wrong with the images, or with some of those that were named: the others have results
  4    a file or folder cannot be read or written, or is not what it should be
  130  stopped by Ctrl-C";

/// A mistake in arguments or a config file, beyond what clap sees.
#[derive(Debug)]
struct Usage(String);

/// Ctrl-C came.
#[derive(Debug)]
pub(crate) struct Interrupted(pub(crate) String);

/// Some of the images that were named have no result. Those of the others are printed, and so are the reasons.
#[derive(Debug)]
pub(crate) struct Partial(pub(crate) String);

/// The device was examined, and something is wrong with it. The examination is printed.
#[derive(Debug)]
pub(crate) struct Unfit(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Usage {}
impl StdError for Partial {}
impl StdError for Unfit {}
impl StdError for Interrupted {}

/// The error for a mistake in arguments or a config file.
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
    causes(error).into_iter().find_map(kind_of).unwrap_or(Kind::Other)
}

fn kind_of(error: &(dyn StdError + 'static)) -> Option<Kind> {
    let is_usage = error.is::<Usage>()
        || error.is::<OnnxError>()
        || error.is::<OutOfRange>()
        || error.is::<ModelError>()
        || error.is::<AugmentationError>();
    let is_file = error.is::<io::Error>() || error.is::<WeightError>();
    if is_usage {
        Some(Kind::Usage)
    } else if is_file {
        Some(Kind::Files)
    } else if error.is::<Partial>() {
        Some(Kind::Images)
    } else if error.is::<Interrupted>() {
        Some(Kind::Interrupted)
    } else if let Some(error) = error.downcast_ref::<DataError>() {
        match error {
            DataError::OutOfRange(_) | DataError::Pattern { .. } | DataError::NoParquet { .. } => {
                Some(Kind::Usage)
            }
            DataError::Io { .. } | DataError::Unreadable { .. } => Some(Kind::Files),
            _ => Some(Kind::Images),
        }
    } else if let Some(error) = error.downcast_ref::<DownloadError>() {
        Some(of_download(error))
    } else if let Some(error) = error.downcast_ref::<PackError>() {
        of_packing(error)
    } else if let Some(error) = error.downcast_ref::<SortError>() {
        Some(of_sorting(error))
    } else if let Some(error) = error.downcast_ref::<TrainError>() {
        of_training(error)
    } else if let Some(error) = error.downcast_ref::<EmbedError>() {
        of_embedding(error)
    } else if let Some(error) = error.downcast_ref::<EvalError>() {
        let of_images = matches!(error, EvalError::OneClass { .. } | EvalError::Fold { .. });
        of_images.then_some(Kind::Images)
    } else if let Some(error) = error.downcast_ref::<ExploreError>() {
        of_exploring(error)
    } else {
        error.downcast_ref::<ReportError>().and_then(of_report)
    }
}

fn of_training(error: &TrainError) -> Option<Kind> {
    match error {
        TrainError::TooFewExamples { .. }
        | TrainError::Device { .. }
        | TrainError::NoDevice { .. }
        | TrainError::RemoteDevice { .. }
        | TrainError::Recipe { .. }
        | TrainError::OtherConfig { .. }
        | TrainError::OtherData { .. } => Some(Kind::Usage),
        TrainError::NoReadableExample { .. }
        | TrainError::TooManySkipped { .. }
        | TrainError::Unlabelled { .. }
        | TrainError::OneClass { .. } => Some(Kind::Images),
        TrainError::RunExists { .. }
        | TrainError::RunUnfinished { .. }
        | TrainError::NoFreeName { .. }
        | TrainError::Running { .. }
        | TrainError::NotARun { .. }
        | TrainError::Parse { .. }
        | TrainError::Checkpoint { .. }
        | TrainError::CheckpointNotSaved { .. }
        | TrainError::Io { .. } => Some(Kind::Files),
        TrainError::Interrupted => Some(Kind::Interrupted),
        _ => None,
    }
}

fn of_download(error: &DownloadError) -> Kind {
    match error {
        DownloadError::Address { .. }
        | DownloadError::Endpoint { .. }
        | DownloadError::Token { .. }
        | DownloadError::NoCache => Kind::Usage,
        _ => Kind::Files,
    }
}

fn of_packing(error: &PackError) -> Option<Kind> {
    match error {
        PackError::Exists { .. }
        | PackError::Unfinished { .. }
        | PackError::Busy { .. }
        | PackError::OtherSettings { .. } => Some(Kind::Usage),
        PackError::Write { .. } => Some(Kind::Files),
        PackError::Stopped { .. } => Some(Kind::Interrupted),
        _ => None,
    }
}

fn of_sorting(error: &SortError) -> Kind {
    match error {
        SortError::Outside { .. } | SortError::Missing { .. } => Kind::Images,
        SortError::Busy { .. } => Kind::Usage,
        _ => Kind::Files,
    }
}

fn of_embedding(error: &EmbedError) -> Option<Kind> {
    match error {
        EmbedError::NoImages { .. } | EmbedError::Count { .. } | EmbedError::Unlabelled { .. } => {
            Some(Kind::Images)
        }
        EmbedError::Preparation { .. }
        | EmbedError::OtherVectors { .. }
        | EmbedError::FileName { .. }
        | EmbedError::NoPlaces { .. } => Some(Kind::Usage),
        EmbedError::File { .. }
        | EmbedError::FeatureSize { .. }
        | EmbedError::Unfinished { .. }
        | EmbedError::Read { .. }
        | EmbedError::Write { .. } => Some(Kind::Files),
        _ => None,
    }
}

fn of_exploring(error: &ExploreError) -> Option<Kind> {
    match error {
        ExploreError::NoImages { .. } => Some(Kind::Images),
        ExploreError::Running { .. } | ExploreError::Listen { .. } => Some(Kind::Usage),
        ExploreError::Write { .. } | ExploreError::Server(_) | ExploreError::Class { .. } => {
            Some(Kind::Files)
        }
        _ => None,
    }
}

fn of_report(error: &ReportError) -> Option<Kind> {
    match error {
        ReportError::NoImages { .. } => Some(Kind::Images),
        ReportError::NoEncoder { .. } | ReportError::Write { .. } => Some(Kind::Files),
        _ => None,
    }
}
