//! What can be wrong with a Parquet file.

use std::io::{self, ErrorKind};

use parquet::errors::ParquetError;

use crate::caught::caught;

/// Why a file, or a page of it, cannot be read.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    Damaged(String),
    /// The file has no page index.
    NoPageIndex,
}

impl Fault {
    pub(super) fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged(reason.into())
    }

    /// What `read` gives; the crate panics at some pages, which is a fault of theirs like another.
    pub(super) fn instead_of_a_panic<T>(read: impl FnOnce() -> Result<T, Self>) -> Result<T, Self> {
        let panicked =
            |text| Err(Self::Damaged(format!("one at which the reader panicked: {text}")));
        caught(read).unwrap_or_else(panicked)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ParquetError> for Fault {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(error) => match error.downcast::<io::Error>() {
                Ok(error) if error.kind() != ErrorKind::UnexpectedEof => Self::Io(*error),
                Ok(error) => Self::Damaged(error.to_string()),
                Err(error) => Self::Damaged(error.to_string()),
            },
            ParquetError::General(reason)
            | ParquetError::EOF(reason)
            | ParquetError::NYI(reason) => Self::Damaged(reason),
            error => Self::Damaged(error.to_string()),
        }
    }
}
