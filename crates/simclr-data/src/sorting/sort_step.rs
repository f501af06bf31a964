//! One file on its way to its class.

use std::fs::{self, File, FileTimes};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use simclr_files::{
    UnfinishedFile, WrittenFile, create_folders, hard_link, remove_file, sync_folder,
};

use super::sort_error::SortError;

/// How a file comes into the folder of its class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SortAction {
    /// A copy, with the mode and the time of change of the file.
    #[default]
    Copy,
    /// A second name for the same file, on the same disk.
    HardLink,
    /// A symbolic link to the file's absolute path.
    SymbolicLink,
    /// The file itself: it is no longer where it was. To another disk it is copied, and removed when the copy is whole.
    Move,
}

/// A file, and where it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortStep {
    /// The file.
    pub from: PathBuf,
    /// Where it is to be, or is already, if a move was stopped before its end.
    pub to: PathBuf,
}

impl SortStep {
    /// Takes the step. Files that are not whole lie in `unfinished`, a folder on the disk of the new place, and nothing is overwritten.
    pub(super) fn take(&self, action: SortAction, unfinished: &Path) -> Result<(), SortError> {
        let Self { from, to } = self;
        let folder = to.parent().unwrap_or(to);
        create_folders(folder).map_err(SortError::write(folder))?;
        match action {
            SortAction::Copy => self.copy(unfinished),
            SortAction::HardLink => fs::canonicalize(from)
                .and_then(|from| hard_link(from, to))
                .map_err(|error| self.failed(error)),
            SortAction::SymbolicLink => std::path::absolute(from)
                .and_then(|from| symbolic_link(&from, to))
                .map_err(|error| self.failed(error)),
            SortAction::Move => self.relocate(unfinished),
        }
    }

    fn relocate(&self, unfinished: &Path) -> Result<(), SortError> {
        let Self { from, to } = self;
        // The plan has found the same content there.
        if fs::symlink_metadata(to).is_err() {
            // A second name, and then one less: unlike renaming, that overwrites nothing. Links may be relative, so what they lead to is copied.
            let linked = if from.is_symlink() {
                Err(ErrorKind::Unsupported.into())
            } else {
                hard_link(from, to)
            };
            match linked {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    return Err(self.failed(error));
                }
                Err(_) => self.copy(unfinished)?,
            }
        }
        // A machine that loses its power must not keep that the first name is gone without the second.
        let folder = to.parent().unwrap_or(to);
        sync_folder(folder).map_err(SortError::write(folder))?;
        remove_file(from).map_err(SortError::write(from))
    }

    fn copy(&self, unfinished: &Path) -> Result<(), SortError> {
        let Self { from, to } = self;
        let file = File::open(from).map_err(SortError::read(from))?;
        let mut copy =
            UnfinishedFile::in_folder(unfinished).map_err(SortError::write(unfinished))?;
        write_copy(&file, copy.file())
            .and_then(|()| copy.keep_as(to))
            .map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> SortError {
        if error.kind() == ErrorKind::AlreadyExists {
            SortError::Exists { path: self.to.clone() }
        } else {
            SortError::write(&self.to)(error)
        }
    }
}

fn write_copy(from: &File, to: &mut WrittenFile) -> io::Result<()> {
    let found = from.metadata()?;
    to.copy_from(from)?;
    to.as_file().set_permissions(found.permissions())?;
    if let Ok(modified) = found.modified() {
        to.as_file().set_times(FileTimes::new().set_modified(modified))?;
    }
    Ok(())
}

#[cfg(unix)]
fn symbolic_link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(from, to)
}

#[cfg(windows)]
fn symbolic_link(from: &Path, to: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(from, to)
}

#[cfg(not(any(unix, windows)))]
fn symbolic_link(_: &Path, _: &Path) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}
