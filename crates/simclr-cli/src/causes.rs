//! What an error was caused by.

use std::error::Error as StdError;

use anyhow::Error;
use simclr::data::{DataError, PackError};
use simclr::embed::EmbedError;
use simclr::eval::EvalError;
use simclr::explore::ExploreError;
use simclr::report::ReportError;
use simclr::train::TrainError;

/// The error and all that caused it, the outermost first. An error that only passes another one on has the same
/// sources as that one: it is followed by the one that it passes on.
pub(crate) fn causes(error: &Error) -> Vec<&(dyn StdError + 'static)> {
    let mut causes = Vec::new();
    for mut cause in error.chain() {
        causes.push(cause);
        while let Some(inner) = passed_on(cause) {
            causes.push(inner);
            cause = inner;
        }
    }
    causes
}

/// The error that `error` passes on as it is.
fn passed_on<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    if let Some(error) = error.downcast_ref::<TrainError>() {
        return match error {
            TrainError::OutOfRange(error) => Some(error),
            TrainError::Data(error) => Some(error),
            TrainError::Augmentation(error) => Some(error),
            TrainError::Model(error) => Some(error),
            TrainError::Weights(error) => Some(error),
            TrainError::Embed(error) => Some(error),
            TrainError::Eval(error) => Some(error),
            _ => None,
        };
    }
    if let Some(PackError::Data(error)) = error.downcast_ref::<PackError>() {
        return Some(error);
    }
    if let Some(error) = error.downcast_ref::<EmbedError>() {
        return match error {
            EmbedError::OutOfRange(error) => Some(error),
            EmbedError::Data(error) => Some(error),
            EmbedError::Augmentation(error) => Some(error),
            EmbedError::Model(error) => Some(error),
            EmbedError::Weights(error) => Some(error),
            _ => None,
        };
    }
    if let Some(error) = error.downcast_ref::<ReportError>() {
        return match error {
            ReportError::OutOfRange(error) => Some(error),
            ReportError::Data(error) => Some(error),
            ReportError::Model(error) => Some(error),
            ReportError::Augmentation(error) => Some(error),
            ReportError::Embed(error) => Some(error),
            ReportError::Eval(error) => Some(error),
            ReportError::Run(error) => Some(error),
            _ => None,
        };
    }
    if let Some(error) = error.downcast_ref::<ExploreError>() {
        return match error {
            ExploreError::OutOfRange(error) => Some(error),
            ExploreError::Labels(error) => Some(error),
            ExploreError::Data(error) => Some(error),
            ExploreError::Embed(error) => Some(error),
            ExploreError::Eval(error) => Some(error),
            _ => None,
        };
    }
    match (error.downcast_ref::<EvalError>(), error.downcast_ref::<DataError>()) {
        (Some(EvalError::OutOfRange(error)), _) | (_, Some(DataError::OutOfRange(error))) => {
            Some(error)
        }
        (Some(EvalError::Embed(error)), _) => Some(error),
        _ => None,
    }
}
