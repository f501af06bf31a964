//! Where files are that are not whole.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use simclr_files::{create_folders, remove_file, remove_folder};

use super::sort_error::SortError;

/// Its name in the folder that files are sorted into.
pub(super) const UNFINISHED: &str = ".simclr-sort";
const LOCK: &str = "lock";

/// The folder for what is not whole, which one process has at a time, and which is removed at the end.
pub(super) struct UnfinishedFolder {
    pub(super) folder: PathBuf,
    /// Locked until it is dropped.
    _lock: File,
}

impl UnfinishedFolder {
    pub(super) fn begin(out: &Path) -> Result<Self, SortError> {
        let folder = out.join(UNFINISHED);
        create_folders(&folder).map_err(SortError::write(&folder))?;
        let path = folder.join(LOCK);
        let lock = File::options().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(SortError::write(&path))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(SortError::Busy { path: out.to_owned() }),
            // The second: a file system without locks.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        // What a process left that was killed.
        for entry in fs::read_dir(&folder).map_err(SortError::read(&folder))?.flatten() {
            if entry.file_name() != LOCK {
                remove_file(entry.path()).map_err(SortError::write(&entry.path()))?;
            }
        }
        Ok(Self { folder, _lock: lock })
    }
}

impl Drop for UnfinishedFolder {
    fn drop(&mut self) {
        // If something is left here, nothing is lost.
        let _ = remove_folder(&self.folder);
    }
}
