//! The runs below a folder.

use std::path::{Path, PathBuf};

use crate::error::TrainError;
use crate::run::run_directory::RunDirectory;
use crate::run::run_overview::RunOverview;

/// How deep runs are looked for.
const DEPTH: usize = 5;

/// How many folders are looked into.
const MOST_FOLDERS: usize = 100_000;

/// The runs below a folder, and what else is there.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct RunsBelow {
    /// The runs, sorted by their paths: numbers in them by their values.
    pub runs: Vec<RunOverview>,
    /// Folders that are no run, with a reason each: runs that are damaged, and folders right below the one that was asked for
    /// that hold no run.
    pub others: Vec<(PathBuf, TrainError)>,
}

impl RunsBelow {
    /// Looks for runs in `folder`: itself, or what is below it, five folders deep. It follows no links below `folder`, and
    /// looks into no folder of a run.
    ///
    /// # Errors
    ///
    /// [`TrainError::Io`] if `folder` cannot be read.
    pub fn find(folder: impl AsRef<Path>) -> Result<Self, TrainError> {
        let folder = folder.as_ref();
        let mut found = Self::default();
        if !found.look_at(folder) {
            let mut left = MOST_FOLDERS;
            for inner in folders_in(folder)? {
                if !found.look_below(&inner, DEPTH - 1, &mut left) {
                    let missing = "config.toml";
                    let path = inner.clone();
                    found.others.push((inner, TrainError::NotARun { path, missing }));
                }
            }
        }
        found.runs.sort_by_cached_key(|run| natural(&run.path));
        found.others.sort_by_cached_key(|(path, _)| natural(path));
        Ok(found)
    }

    /// Whether there is a run in `folder` or below it.
    fn look_below(&mut self, folder: &Path, depth: usize, left: &mut usize) -> bool {
        if self.look_at(folder) {
            return true;
        }
        let mut has_run = false;
        let inner = folders_in(folder).unwrap_or_default();
        for inner in inner.into_iter().filter(|_| depth > 0) {
            if *left == 0 {
                break;
            }
            *left -= 1;
            has_run |= self.look_below(&inner, depth - 1, left);
        }
        has_run
    }

    /// Whether `folder` is a run's, whole or damaged.
    fn look_at(&mut self, folder: &Path) -> bool {
        let Ok(run) = RunDirectory::open(folder) else { return false };
        match RunOverview::of(&run) {
            Ok(overview) => self.runs.push(overview),
            Err(error) => self.others.push((folder.to_owned(), error)),
        }
        true
    }
}

/// The folders in `folder`, without links and hidden ones.
fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let entries = std::fs::read_dir(folder).map_err(TrainError::io("read", folder))?;
    let entries = entries.flatten().filter(|entry| {
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        !is_hidden && entry.file_type().is_ok_and(|kind| kind.is_dir())
    });
    Ok(entries.map(|entry| entry.path()).collect())
}

/// A key by which `run2` comes before `run10`: digits of text after their number.
fn natural(path: &Path) -> Vec<(u64, String)> {
    let text = path.to_string_lossy();
    let mut parts = Vec::new();
    let mut rest = &text[..];
    while !rest.is_empty() {
        let words = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, numbers) = rest.split_at(words);
        let digits = numbers.find(|c: char| !c.is_ascii_digit()).unwrap_or(numbers.len());
        let (number, end) = numbers.split_at(digits);
        if !word.is_empty() {
            parts.push((u64::MAX, word.to_owned()));
        }
        if !number.is_empty() {
            parts.push((number.parse().unwrap_or(u64::MAX), number.to_owned()));
        }
        rest = end;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_by_value() {
        let mut names = ["runs/10", "runs/2/b", "runs/2/a", "a10", "a9", "runs/1"].map(Path::new);
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(
            names,
            ["a9", "a10", "runs/1", "runs/2/a", "runs/2/b", "runs/10"].map(Path::new)
        );
    }

    #[test]
    fn damaged_runs_and_folders_without_one_are_named_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        for inner in ["sweep/a", "notes/deep", ".hidden", "whole/photos/cats"] {
            std::fs::create_dir_all(folder.path().join(inner)).unwrap();
        }
        std::fs::write(folder.path().join("sweep/a/config.toml"), "nonsense").unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(".", folder.path().join("loop")).unwrap();
        let found = RunsBelow::find(folder.path()).unwrap();
        let names = found.others.iter().map(|(path, _)| path.strip_prefix(folder.path()).unwrap());
        assert_eq!(names.collect::<Vec<_>>(), ["notes", "sweep/a", "whole"].map(Path::new));
        assert!(found.runs.is_empty());
        let error = RunsBelow::find(folder.path().join("nowhere")).unwrap_err();
        assert!(matches!(error, TrainError::Io { .. }), "{error}");
        let itself = RunsBelow::find(folder.path().join("sweep/a")).unwrap();
        assert_eq!(itself.others.len(), 1);
    }
}
