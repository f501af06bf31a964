//! The shards that are open, never too many at once.

use std::{
    collections::HashMap,
    fs::File,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::stamp::Stamp;
use crate::{DataError, patience::patiently};

/// Files that are open at most. Systems allow a process 256 or 1,024 of them, and others need some too.
const MOST: usize = 128;

/// Open files by the numbers of their shards. The one that was used longest ago is closed first.
#[derive(Debug, Default)]
pub(super) struct OpenFiles(Mutex<Slots>);

#[derive(Debug, Default)]
struct Slots {
    files: HashMap<usize, (Arc<File>, u64)>,
    /// How often a file was asked for.
    uses: u64,
}

impl OpenFiles {
    /// The shard of this number, as long as its file is as `stamp` says.
    ///
    /// # Errors
    ///
    /// [`DataError::Changed`] if it isn't, [`DataError::Missing`] or [`DataError::Io`] if it cannot be opened.
    pub(super) fn get(
        &self,
        shard: usize,
        path: &Path,
        stamp: Stamp,
    ) -> Result<Arc<File>, DataError> {
        let open = self.slots().used(shard);
        let file = match open {
            Some(file) => file,
            None => Arc::new(patiently(|| File::open(path)).map_err(|source| {
                DataError::from_io(
                    path,
                    "the shard that was there when the data was opened",
                    source,
                )
            })?),
        };
        let metadata = patiently(|| file.metadata());
        let found = metadata.map_err(|source| DataError::Io { path: path.to_owned(), source })?;
        check(path, stamp, Stamp::of(&found))?;
        self.slots().keep(shard, &file);
        Ok(file)
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses a shard that is no longer what it was.
pub(super) fn check(path: &Path, expected: Stamp, found: Stamp) -> Result<(), DataError> {
    let change = if found.len != expected.len {
        format!("it had {} bytes and now has {}", expected.len, found.len)
    } else if found.modified != expected.modified {
        "it has been written to".to_owned()
    } else {
        return Ok(());
    };
    Err(DataError::Changed { path: path.to_owned(), change })
}

impl Slots {
    fn used(&mut self, shard: usize) -> Option<Arc<File>> {
        self.uses += 1;
        let (file, last) = self.files.get_mut(&shard)?;
        *last = self.uses;
        Some(Arc::clone(file))
    }

    fn keep(&mut self, shard: usize, file: &Arc<File>) {
        if self.files.contains_key(&shard) {
            return;
        }
        if self.files.len() >= MOST {
            let oldest = self.files.iter().min_by_key(|(_, (_, last))| *last);
            if let Some(oldest) = oldest.map(|(&shard, _)| shard) {
                self.files.remove(&oldest);
            }
        }
        self.files.insert(shard, (Arc::clone(file), self.uses));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_thousand_shards_need_no_thousand_open_files() {
        let dir = tempfile::tempdir().unwrap();
        let files = OpenFiles::default();
        for round in 0..2 {
            for shard in 0..1000 {
                let path = dir.path().join(shard.to_string());
                if round == 0 {
                    fs::write(&path, b"shard").unwrap();
                }
                let stamp = Stamp::of(&fs::metadata(&path).unwrap());
                files.get(shard, &path, stamp).unwrap();
                assert!(files.slots().files.len() <= MOST);
            }
        }
        let open: Vec<_> = files.slots().files.keys().copied().collect();
        assert!(
            open.iter().all(|&shard| shard >= 1000 - MOST),
            "the last ones stay open: {open:?}"
        );
    }
}
