//! Files that are there as a whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Replaces `path` by what `write` writes, in one step: a reader sees the old file or the new one. What is written lies
/// beside it until then, as `path` with `.part` at its end. If anything fails, an older file of that name is
/// untouched, and nothing else is left.
///
/// What is no regular file, such as a pipe or `/dev/stdout`, is written to and not replaced.
///
/// # Errors
///
/// Those of `write`, and of the system: a folder that is not there, a disk that is full.
///
/// ```
/// use simclr_data::replace_file;
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("names.txt");
/// replace_file(&path, |file| file.write_all(b"cat\ndog\n"))?;
/// assert_eq!(std::fs::read_to_string(&path)?, "cat\ndog\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn replace_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        let mut writer = BufWriter::new(File::options().write(true).open(path)?);
        write(&mut writer)?;
        return writer.flush();
    }
    let mut partial: OsString = path.as_os_str().to_owned();
    partial.push(".part");
    let partial = Path::new(&partial);
    let written = || -> io::Result<()> {
        let mut writer = BufWriter::new(File::create(partial)?);
        write(&mut writer)?;
        writer.into_inner()?.sync_all()?;
        fs::rename(partial, path)
    };
    written().inspect_err(|_| {
        // What is left is of no use; that it cannot be removed is not what went wrong.
        let _ = fs::remove_file(partial);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_device_is_written_to_and_stays_a_device() {
        let full = Path::new("/dev/full");
        let error = replace_file(full, |file| file.write_all(b"text")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(!fs::metadata(full).unwrap().is_file());
        assert!(!Path::new("/dev/full.part").exists());
    }

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        replace_file(&path, |file| file.write_all(b"old")).unwrap();
        let error = replace_file(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(error.unwrap_err().to_string(), "the disk is full");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
