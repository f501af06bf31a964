//! What tells that a file has changed.

use std::{
    fs::Metadata,
    time::{SystemTime, UNIX_EPOCH},
};

/// A file's length and when it was last written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) len: u64,
    /// In nanoseconds since 1970; 0 where the system doesn't tell.
    pub(super) modified: i64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().map_or(0, nanoseconds);
        Self { len: metadata.len(), modified }
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    let to_i64 = |nanoseconds: u128| i64::try_from(nanoseconds).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => to_i64(since.as_nanos()),
        Err(before) => -to_i64(before.duration().as_nanos()),
    }
}
