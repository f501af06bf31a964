//! What to do about an error.

use std::error::Error as StdError;
use std::io;

use anyhow::Error;
use simclr::data::DataError;
use simclr::embed::EmbedError;
use simclr::train::TrainError;

use crate::causes::causes;

/// What the user can do, where that is not in the message.
pub(crate) fn hint(error: &Error) -> Option<&'static str> {
    causes(error).into_iter().find_map(hint_for)
}

fn hint_for(cause: &(dyn StdError + 'static)) -> Option<&'static str> {
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
    if let Some(EmbedError::File { path, .. }) = cause.downcast_ref::<EmbedError>() {
        let unfinished = "`simclr pretrain --resume RUN` lets a run that has not ended go on";
        return (!path.exists()).then_some(unfinished);
    }
    match cause.downcast_ref::<TrainError>()? {
        TrainError::RunExists { .. } => {
            Some("--resume DIR continues a run; --out takes a folder of a new name")
        }
        TrainError::NotARun { .. } => Some("`simclr pretrain --out DIR` makes one"),
        TrainError::NoLearningRate { .. } => Some("pass one, such as --lr 1e-3"),
        TrainError::OtherConfig { .. } => {
            Some("resume with the run's own settings and --data, or start a new run")
        }
        _ => None,
    }
}
