//! How far a step of sorting is.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::sort_error::SortError;
use super::sort_step::{SortAction, SortStep};

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepState {
    Ahead,
    Done,
    Missing,
}

impl StepState {
    pub(super) fn of(step: &SortStep, action: SortAction) -> Result<Self, SortError> {
        let SortStep { from, to } = step;
        let source = match fs::metadata(from) {
            Ok(found) if found.is_file() => true,
            Ok(_) => return Err(SortError::NotAFile { path: from.clone() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(SortError::read(from)(error)),
        };
        let target = match fs::symlink_metadata(to) {
            Ok(_) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            // A file is where a folder should be.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return Err(SortError::Exists { path: blocked_by(to) });
            }
            Err(error) => return Err(SortError::read(to)(error)),
        };
        match (source, target) {
            (true, false) => Ok(Self::Ahead),
            (false, false) => Ok(Self::Missing),
            (false, true) if to.is_file() => Ok(Self::Done),
            (true, true) if same_content(from, to).map_err(SortError::read(to))? => {
                let is_one = fs::canonicalize(from).ok() == fs::canonicalize(to).ok();
                let is_left = action == SortAction::Move && !is_one;
                Ok(if is_left { Self::Ahead } else { Self::Done })
            }
            (_, true) => Err(SortError::Exists { path: to.clone() }),
        }
    }
}

/// The part of a path that is there and is no folder.
fn blocked_by(path: &Path) -> PathBuf {
    let mut parts = path.ancestors().filter(|part| part.exists());
    parts.next().unwrap_or(path).to_owned()
}

fn same_content(a: &Path, b: &Path) -> io::Result<bool> {
    let [a_found, b_found] = [fs::metadata(a), fs::metadata(b)];
    let Ok(b_found) = b_found else { return Ok(false) };
    if !b_found.is_file() || a_found?.len() != b_found.len() {
        return Ok(false);
    }
    let [a, b] =
        [File::open(a)?, File::open(b)?].map(|file| BufReader::with_capacity(1 << 16, file));
    let mut others = b.bytes();
    for byte in a.bytes() {
        if others.next().transpose()? != Some(byte?) {
            return Ok(false);
        }
    }
    Ok(others.next().is_none())
}
