//! The names of files in folders.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crate::operation::{Operation, perform};
use crate::written_file::WrittenFile;

/// Gives the file or folder `from` the name `to`, in one step, and waits until the name is on the disk. A file of that name is
/// replaced. What `from` holds must be on the disk already: a machine that loses its power may otherwise keep the name without it.
///
/// # Errors
///
/// Those of [`fs::rename`] and of [`sync_folder`], after which the name is there.
pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (from.as_ref(), to.as_ref());
    perform(Operation::Rename, from, Some(to), || fs::rename(from, to))?;
    sync_folder(folder_of(to))
}

/// Gives the file `from` the second name `to`, which nothing has. Before the first one is removed, the second must be on the disk
/// ([`sync_folder`]).
///
/// # Errors
///
/// Those of [`fs::hard_link`].
pub fn hard_link(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (from.as_ref(), to.as_ref());
    perform(Operation::Link, from, Some(to), || fs::hard_link(from, to))
}

/// Waits until the names in a folder are on the disk. Where a system knows no such thing it does nothing.
///
/// # Errors
///
/// The system's, if the disk fails.
pub fn sync_folder(folder: impl AsRef<Path>) -> io::Result<()> {
    let folder = folder.as_ref();
    perform(Operation::Sync, folder, None, || {
        if cfg!(not(unix)) {
            return Ok(());
        }
        match File::open(folder)?.sync_all() {
            // File systems that have no such operation, and those that forbid it.
            Err(error) if is_unknown(error.kind()) => Ok(()),
            outcome => outcome,
        }
    })
}

/// Waits until the names in a folder and in all folders in it are on the disk.
///
/// # Errors
///
/// Those of [`fs::read_dir`] and of [`sync_folder`].
pub fn sync_folders(folder: impl AsRef<Path>) -> io::Result<()> {
    let folder = folder.as_ref();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(entry.path())?;
        }
    }
    sync_folder(folder)
}

fn is_unknown(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::InvalidInput | ErrorKind::Unsupported | ErrorKind::PermissionDenied)
}

/// Makes a folder and those around it, as far as they are not there.
///
/// # Errors
///
/// Those of [`fs::create_dir_all`].
pub fn create_folders(folder: impl AsRef<Path>) -> io::Result<()> {
    let folder = folder.as_ref();
    if folder.is_dir() {
        return Ok(());
    }
    perform(Operation::MakeFolder, folder, None, || fs::create_dir_all(folder))
}

/// Makes a folder in one that is there.
///
/// # Errors
///
/// Those of [`fs::create_dir`].
pub fn create_folder(folder: impl AsRef<Path>) -> io::Result<()> {
    let folder = folder.as_ref();
    perform(Operation::MakeFolder, folder, None, || fs::create_dir(folder))
}

/// Removes a file.
///
/// # Errors
///
/// Those of [`fs::remove_file`].
pub fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref();
    perform(Operation::Remove, path, None, || fs::remove_file(path))
}

/// Removes a folder with all that is in it.
///
/// # Errors
///
/// Those of [`fs::remove_dir_all`].
pub fn remove_folder(folder: impl AsRef<Path>) -> io::Result<()> {
    let folder = folder.as_ref();
    perform(Operation::Remove, folder, None, || fs::remove_dir_all(folder))
}

/// Writes a file where there is none, and waits until it is on the disk. If that fails, a part of it may be there: for files of a folder
/// that gets its own name at the end.
///
/// # Errors
///
/// Those of [`File::create_new`], of writing and of [`File::sync_all`].
pub fn write_new(path: impl AsRef<Path>, bytes: &[u8]) -> io::Result<()> {
    let mut file = WrittenFile::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The folder that a path lies in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    }
}
