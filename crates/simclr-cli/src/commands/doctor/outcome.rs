//! How a part of the examination ended.

use serde::Serialize;

/// A part's result, or why it has none.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub(super) enum Outcome<T> {
    Ok(T),
    OutOfMemory { reason: String },
    OutOfTime { reason: String },
    Unsupported { reason: String },
    Skipped { reason: String },
    Failed { reason: String },
}

/// Why a part ended early.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    OutOfMemory(String),
    OutOfTime(String),
    Failed(String),
}

impl<T> From<Fault> for Outcome<T> {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::OutOfMemory(reason) => Self::OutOfMemory { reason },
            Fault::OutOfTime(reason) => Self::OutOfTime { reason },
            Fault::Failed(reason) => Self::Failed { reason },
        }
    }
}

impl Fault {
    /// Says what it ended.
    pub(super) fn during(self, what: &str) -> Self {
        let of = |reason: String| format!("{reason}, in {what}");
        match self {
            Self::OutOfMemory(reason) => Self::OutOfMemory(of(reason)),
            Self::OutOfTime(reason) => Self::OutOfTime(of(reason)),
            Self::Failed(reason) => Self::Failed(of(reason)),
        }
    }
}

impl<T> Outcome<T> {
    /// The result in words of `of`, or why there is none.
    pub(super) fn in_words(&self, of: impl FnOnce(&T) -> String) -> String {
        match self {
            Self::Ok(result) => of(result),
            Self::OutOfMemory { reason } => format!("out of memory: {reason}"),
            Self::OutOfTime { reason } => format!("out of time: {reason}"),
            Self::Unsupported { reason } | Self::Skipped { reason } => reason.clone(),
            Self::Failed { reason } => format!("failed: {reason}"),
        }
    }
}
