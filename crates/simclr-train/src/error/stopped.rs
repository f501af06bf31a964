//! Errors that end a run at any moment: a device that fails, a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::TrainError;
use crate::run::position::Position;

impl TrainError {
    /// [`Stopped`](Self::Stopped) where the last checkpoint is not known yet.
    pub(crate) fn stopped(reason: impl Into<String>) -> Self {
        Self::Stopped { reason: reason.into(), checkpoint: None }
    }

    /// Returns the result of `work`, or its panic as an error, since Burn reports a device that fails by a panic.
    pub(crate) fn catch<T>(what: &str, work: impl FnOnce() -> Result<T, Self>) -> Result<T, Self> {
        let failed = |text| Err(Self::stopped(format!("{what} failed: {text}")));
        catch_panic(work).unwrap_or_else(failed)
    }

    /// Adds the position of the run's last checkpoint.
    pub(crate) fn with_checkpoint(self, checkpoint: Option<Position>) -> Self {
        match self {
            Self::Stopped { reason, .. } => Self::Stopped { reason, checkpoint },
            Self::NotFinite { position, tensor, more, .. } => {
                Self::NotFinite { position, tensor, more, checkpoint }
            }
            other => other,
        }
    }
}

/// Returns the result of `work`, or the message of its panic. What the panic left half done must not be used again.
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("unknown reason").to_owned()
    })
}
