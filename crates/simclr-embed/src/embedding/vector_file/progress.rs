//! How far a file of vectors is.

use std::path::Path;

use serde::{Deserialize, Serialize};
use simclr_files::replace_file;

use crate::embedding::preparation::Preparation;
use crate::error::EmbedError;

/// The version of the format that is written and read.
const FORMAT: u32 = 1;

/// How far a file of vectors is, and of what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    format: u32,
    /// Values of a vector.
    pub(super) size: usize,
    pub(super) preparation: Preparation,
    /// What tells the data set from others.
    data: String,
    /// Images that were tried, from the first on.
    pub(super) tried: usize,
    /// Images that could be read, each with a vector.
    pub(super) rows: usize,
    pub(super) skipped: usize,
    pub(super) names_bytes: u64,
    pub(super) table_bytes: u64,
}

impl Progress {
    pub(super) fn new(size: usize, preparation: Preparation, data: &str) -> Self {
        Self {
            format: FORMAT,
            size,
            preparation,
            data: data.to_owned(),
            tried: 0,
            rows: 0,
            skipped: 0,
            names_bytes: 0,
            table_bytes: 0,
        }
    }

    /// # Errors
    ///
    /// [`EmbedError::Read`]; [`EmbedError::File`] for anything else than what [`write`](Self::write) writes.
    pub(super) fn read(path: &Path) -> Result<Self, EmbedError> {
        let text = std::fs::read_to_string(path).map_err(EmbedError::read(path))?;
        let bad = |found: String| EmbedError::file(path, "how far vectors are written", found);
        let progress: Self = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        let Self { format, size, tried, rows, skipped, .. } = progress;
        if format != FORMAT {
            return Err(bad(format!("format {format}")));
        }
        // The length of the vectors' file follows from it.
        let bytes = rows.checked_mul(size).and_then(|values| values.checked_mul(size_of::<f32>()));
        if size == 0 || bytes.is_none() || rows.checked_add(skipped) != Some(tried) {
            return Err(bad(format!("{rows} vectors of {size} values for {tried} images")));
        }
        Ok(progress)
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), EmbedError> {
        let text = serde_json::to_string(self).expect("finite numbers and text are always JSON");
        replace_file(path, |file| file.write_all(text.as_bytes())).map_err(EmbedError::write(path))
    }

    /// Refuses other vectors than those that were begun in `folder`.
    pub(super) fn check(
        &self,
        folder: &Path,
        size: usize,
        preparation: &Preparation,
        data: &str,
    ) -> Result<(), EmbedError> {
        let other = |expected: String, found: String| {
            Err(EmbedError::OtherVectors { path: folder.to_owned(), expected, found })
        };
        if self.preparation != *preparation || self.size != size {
            return other(preparation.to_string(), self.preparation.to_string());
        }
        if self.data != data {
            return other(format!("the data {data}"), format!("the data {}", self.data));
        }
        Ok(())
    }
}
