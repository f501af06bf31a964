//! Errors that end a run at any moment: a device that fails, a panic.

use super::TrainError;
use crate::run::position::Position;

impl TrainError {
    /// [`Stopped`](Self::Stopped) where the last checkpoint is not known yet.
    pub(crate) fn stopped(reason: impl Into<String>) -> Self {
        Self::Stopped { reason: reason.into(), checkpoint: None }
    }

    /// Returns the result of `work`, or its panic as an error, since Burn reports a device that fails by a panic.
    pub(crate) fn catch<T>(what: &str, work: impl FnOnce() -> Result<T, Self>) -> Result<T, Self> {
        // Unwind safe, as the run ends here: nobody sees what the panic left half done.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        outcome.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            let text = text.unwrap_or("unknown reason");
            Err(Self::stopped(format!("{what} failed: {text}")))
        })
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
