//! A file until it is whole.

use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use crate::folders::{folder_of, rename, sync_folder};
use crate::operation::{Operation, is_stopped, perform};
use crate::written_file::WrittenFile;

/// A new file under a name that stands for nothing, which is removed unless it gets a name of its own. It has the mode of any new file.
///
/// A process that is killed meanwhile leaves it.
#[derive(Debug)]
pub struct UnfinishedFile(NamedTempFile<WrittenFile>);

impl UnfinishedFile {
    /// A file beside `path`, called as it is, then some letters, and `.part`.
    ///
    /// # Errors
    ///
    /// Those of [`File::create_new`](std::fs::File::create_new).
    pub fn beside(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let mut prefix = path.file_name().unwrap_or_default().to_owned();
        prefix.push(".");
        Self::made(Builder::new().prefix(&prefix).suffix(".part"), folder_of(path))
    }

    /// A file beside `path`, called as it is, and `.part`: what a process that was killed has left is overwritten, so that there is never
    /// more than one.
    ///
    /// # Errors
    ///
    /// Those of [`File::create`](std::fs::File::create).
    pub fn alone_beside(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let name = path.file_name().unwrap_or_default();
        let mut builder = Builder::new();
        let builder = builder.prefix(name).suffix(".part").rand_bytes(0);
        builder.make_in(folder_of(path), |path| WrittenFile::create(path)).map(Self)
    }

    /// A file in `folder`, whose files stand for nothing.
    ///
    /// # Errors
    ///
    /// Those of [`File::create_new`](std::fs::File::create_new).
    pub fn in_folder(folder: impl AsRef<Path>) -> io::Result<Self> {
        Self::made(&mut Builder::new(), folder.as_ref())
    }

    fn made(builder: &mut Builder<'_, '_>, folder: &Path) -> io::Result<Self> {
        // `create_new` rather than `tempfile`'s own function, which makes a file for its owner alone.
        builder.make_in(folder, |path| WrittenFile::create_new(path)).map(Self)
    }

    /// Waits until the file is on the disk, gives it the name `path` in the place of one that may be there, and waits until the name is on
    /// the disk.
    ///
    /// # Errors
    ///
    /// The system's. Until the file has its name, it is removed after an error; then, it stays.
    pub fn replace(mut self, path: impl AsRef<Path>) -> io::Result<()> {
        self.sync()?;
        let (file, mut name) = self.0.into_parts();
        // Some systems rename no file that is open.
        drop(file);
        let renamed = rename(&name, path);
        let is_left = is_stopped(&name);
        if is_left || fs::symlink_metadata(&name).is_err() {
            name.disable_cleanup(true);
        }
        renamed
    }

    /// As [`replace`](Self::replace), but under a name that nothing has.
    ///
    /// # Errors
    ///
    /// Those of [`replace`](Self::replace); [`AlreadyExists`](io::ErrorKind::AlreadyExists) if there is something of that name, which stays.
    pub fn keep_as(mut self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        self.sync()?;
        let mut name = self.0.into_temp_path();
        let from = name.to_path_buf();
        name.disable_cleanup(is_stopped(&from));
        perform(Operation::Rename, &from, Some(path), || {
            name.persist_noclobber(path).map_err(|failed| failed.error)
        })?;
        sync_folder(folder_of(path))
    }

    fn sync(&mut self) -> io::Result<()> {
        let outcome = self.0.as_file().sync_all();
        self.unless_stopped(outcome)
    }

    /// The outcome. If the process is as good as killed, the file stays.
    fn unless_stopped<T>(&mut self, outcome: io::Result<T>) -> io::Result<T> {
        if outcome.is_err() && is_stopped(self.0.path()) {
            self.0.disable_cleanup(true);
        }
        outcome
    }

    /// The file.
    pub fn file(&mut self) -> &mut WrittenFile {
        self.0.as_file_mut()
    }
}

impl Write for UnfinishedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let outcome = self.file().write(bytes);
        self.unless_stopped(outcome)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file().flush()
    }
}

impl Seek for UnfinishedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file().seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::faults::{self, Fault};

    fn text(path: &Path) -> Option<String> {
        fs::read_to_string(path).ok()
    }

    /// Writes `new` to `a.txt` of a folder, under a name that nothing has if `keep`.
    fn write(folder: &Path, keep: bool) -> Result<(), String> {
        let path = folder.join("a.txt");
        let written = || {
            let mut file = UnfinishedFile::alone_beside(&path)?;
            file.write_all(b"new")?;
            if keep { file.keep_as(&path) } else { file.replace(&path) }
        };
        written().map_err(|error| format!("{}: {error}", path.display()))
    }

    #[test]
    fn a_file_of_one_name_is_overwritten_and_whatever_fails_its_own_name_has_a_whole_file() {
        for keep in [false, true] {
            let count = faults::everywhere(
                |folder| {
                    fs::write(folder.join("a.txt.part"), "left by another process").unwrap();
                    if !keep {
                        fs::write(folder.join("a.txt"), "old").unwrap();
                    }
                },
                |folder| write(folder, keep),
                |after| {
                    let found = text(&after.folder.join("a.txt"));
                    let before = (!keep).then(|| "old".to_owned());
                    let is_new = found.as_deref() == Some("new");
                    assert!(is_new || after.outcome.is_err() && found == before, "{after:?}");
                    let part = text(&after.folder.join("a.txt.part"));
                    let never_opened = part.as_deref() == Some("left by another process");
                    let is_left = part.is_some() && !never_opened;
                    assert!(!is_left || after.fault == Fault::Stopped, "{after:?}: {part:?}");
                },
            );
            assert!(count > 10, "only {count} faults");
        }
    }

    #[test]
    fn what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, "precious").unwrap();
        let mut file = UnfinishedFile::beside(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert_eq!(file.keep_as(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(text(&path).as_deref(), Some("precious"));
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }
}
