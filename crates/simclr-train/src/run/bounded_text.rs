//! Files of a run's folder, which may be anyone's.

use std::fs::File;
use std::io::{Error, Read, Result};
use std::path::Path;

/// Longest `config.toml` or `summary.json` that is read, in bytes.
pub(crate) const MOST_TEXT: u64 = 16 << 20;

/// Reads a file of text.
///
/// # Errors
///
/// Those of the system, and such for a file that is longer than `most` bytes, or is none: a pipe never ends.
pub(crate) fn read_text(path: &Path, most: u64) -> Result<String> {
    check_file(path, most)?;
    let mut text = String::new();
    File::open(path)?.take(most).read_to_string(&mut text)?;
    Ok(text)
}

/// Refuses what is no file, or is longer than `most` bytes.
pub(crate) fn check_file(path: &Path, most: u64) -> Result<()> {
    let found = std::fs::metadata(path)?;
    if !found.is_file() {
        return Err(Error::other("expected a file, found a folder, a pipe or a device"));
    }
    if found.len() > most {
        let length = found.len();
        return Err(Error::other(format!("expected at most {most} bytes, found {length}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_or_too_long_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, "seed = 1").unwrap();
        assert_eq!(read_text(&path, 8).unwrap(), "seed = 1");
        let message = |path: &Path| read_text(path, 7).unwrap_err().to_string();
        assert_eq!(message(&path), "expected at most 7 bytes, found 8");
        for other in [folder.path(), Path::new("/dev/zero")] {
            if other.exists() {
                assert_eq!(message(other), "expected a file, found a folder, a pipe or a device");
            }
        }
    }
}
