//! What to do about an error.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;

use anyhow::Error;
use simclr::data::{DataError, DownloadError, PackError, SortError};
use simclr::embed::EmbedError;
use simclr::explore::ExploreError;
use simclr::model::{WeightError, WeightFault};
use simclr::train::{RunDirectory, TrainError};

use crate::causes::causes;
use crate::shell::resume_command;
use crate::weight_source::looks_like_an_address;

/// What the user can do, where that is not in the message.
pub(crate) fn hint(error: &Error) -> Option<Cow<'static, str>> {
    let causes = causes(error);
    causes.into_iter().find_map(|cause| of_run(cause).or_else(|| hint_for(cause).map(Cow::from)))
}

/// The hint that names a command for the run in question.
fn of_run(cause: &(dyn StdError + 'static)) -> Option<Cow<'static, str>> {
    match cause.downcast_ref::<TrainError>()? {
        TrainError::RunUnfinished { path, .. } => {
            let command = resume_command(path);
            Some(format!("`{command}` goes on with it; --out takes a folder of a new name").into())
        }
        TrainError::RunExists { path } if RunDirectory::open(path).is_ok() => {
            let command = resume_command(path);
            Some(format!("`{command} --epochs N` adds epochs to the run there; --out takes a folder of a new name").into())
        }
        _ => None,
    }
}

fn hint_for(cause: &(dyn StdError + 'static)) -> Option<&'static str> {
    if let Some(error) = cause.downcast_ref::<PackError>() {
        return match error {
            PackError::Exists { .. } => Some("--out takes a file of a new name"),
            PackError::Unfinished { .. } => {
                Some("--resume goes on with it; remove it to begin anew")
            }
            PackError::OtherSettings { .. } => {
                Some("go on with the images and settings that it was begun with, or remove it")
            }
            PackError::Write { .. } => {
                Some("what is packed is kept: make room on that disk, and go on with --resume")
            }
            PackError::Stopped { .. } => Some("the same command with --resume goes on"),
            _ => None,
        };
    }
    if let Some(error) = cause.downcast_ref::<DownloadError>() {
        return match error {
            DownloadError::Address { .. } => Some("`simclr weights list` prints known ones"),
            DownloadError::Offline { .. } => Some("--offline or HF_HUB_OFFLINE forbids it"),
            DownloadError::Request { .. } => {
                Some("--offline takes published weights that are in the cache already")
            }
            DownloadError::Interrupted { .. } => Some("the same command goes on where it stopped"),
            _ => None,
        };
    }
    if let Some(WeightError::Load { path, .. }) = cause.downcast_ref::<WeightError>()
        && !path.exists()
        && looks_like_an_address(path)
    {
        return Some(
            "published weights are hf:OWNER/REPO[@REVISION][/FILE] or torchvision:NAME; `simclr weights list` prints some",
        );
    }
    if let Some(ExploreError::Listen { .. }) = cause.downcast_ref::<ExploreError>() {
        return Some("--port takes another port; without it a free one is found");
    }
    let linked = |error: &io::Error| error.kind() == io::ErrorKind::CrossesDevices;
    if let Some(SortError::Write { source, .. }) = cause.downcast_ref::<SortError>()
        && linked(source)
    {
        return Some("a hard link stays on its disk: --link symbolic leads to another");
    }
    if let Some(SortError::Exists { .. }) = cause.downcast_ref::<SortError>() {
        return Some("nothing is overwritten: --out takes another folder");
    }
    let full = |error: &io::Error| error.kind() == io::ErrorKind::StorageFull;
    // Some errors have the system's reason in their text alone.
    let no_space = cause.to_string().contains("No space left on device");
    if no_space || cause.downcast_ref::<io::Error>().is_some_and(full) {
        return Some("make room on that disk, or choose another folder with --out");
    }
    if let Some(error) = cause.downcast_ref::<DataError>() {
        return match error {
            DataError::NoImages { .. } => {
                Some("point --data at a folder of JPEG, PNG, WebP, BMP, GIF or TIFF files")
            }
            DataError::Missing { .. } | DataError::Unreadable { .. } => {
                Some("check the path; `simclr data check DIR` says what a folder holds")
            }
            _ => None,
        };
    }
    if let Some(EmbedError::Unfinished { .. }) = cause.downcast_ref::<EmbedError>() {
        return Some("--resume goes on with them; to begin anew, remove that folder");
    }
    if let Some(EmbedError::OtherVectors { .. }) = cause.downcast_ref::<EmbedError>() {
        return Some("to begin anew, remove that folder");
    }
    if let Some(EmbedError::File { path, expected, .. }) = cause.downcast_ref::<EmbedError>() {
        if expected.starts_with("vectors that are not finished") {
            return Some("without --resume the command begins anew");
        }
        if !path.exists() {
            return Some("`simclr pretrain --resume RUN` lets a run that has not ended go on");
        }
        let foreign = "weights of other tools need --encoder NAME and --image-size N";
        return expected.starts_with("a header").then_some(foreign);
    }
    if let Some(WeightError::Load { reason, .. }) = cause.downcast_ref::<WeightError>() {
        let is_ambiguous = matches!(reason, WeightFault::Ambiguous { .. });
        return is_ambiguous.then_some("choose one of these prefixes with --prefix");
    }
    match cause.downcast_ref::<TrainError>()? {
        TrainError::RunExists { .. } => Some("--out takes a folder of a new name"),
        TrainError::NotARun { .. } => Some("`simclr pretrain --out DIR` makes one"),
        TrainError::NoLearningRate { .. } => Some("pass one, such as --lr 1e-3"),
        TrainError::OtherConfig { .. } => {
            Some("resume with the run's own settings, or start a new run")
        }
        TrainError::OtherData { .. } => {
            Some("--accept-other-data goes on with these images nevertheless")
        }
        TrainError::TooManySkipped { .. } => Some(
            "the run's metrics.jsonl names all of them; mend them or raise --max-skipped, then go on with \
             --resume",
        ),
        _ => None,
    }
}
