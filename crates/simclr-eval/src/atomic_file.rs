//! Files that are there as a whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::error::EvalError;

/// Replaces `path` by what `write` writes, in one step: a reader sees the old file or the new one. If
/// anything fails, an older file of that name is untouched.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), EvalError> {
    let mut partial: OsString = path.as_os_str().to_owned();
    partial.push(".part");
    let partial = Path::new(&partial);
    let written = || -> io::Result<()> {
        let mut writer = BufWriter::new(File::create(partial)?);
        write(&mut writer)?;
        writer.into_inner()?.sync_all()?;
        fs::rename(partial, path)
    };
    written().map_err(|source| {
        // What is left is of no use; that it cannot be removed is not what went wrong.
        let _ = fs::remove_file(partial);
        EvalError::Write { path: path.to_owned(), source }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        replace(&path, |file| file.write_all(b"old")).unwrap();
        let error = replace(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::Error::other("the disk is full"))
        });
        assert!(matches!(error, Err(EvalError::Write { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
