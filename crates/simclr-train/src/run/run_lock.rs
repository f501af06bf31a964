//! The mark of a run that trains.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::TrainError;

/// How often, and after what time, a lock that is held is asked for again: [`RunLock::is_held`] holds it for a moment.
const AGAIN: (usize, Duration) = (5, Duration::from_millis(20));

/// `run.lock` of a run directory, which the process that trains holds. The system lets it go when the process ends, however
/// it ends.
#[derive(Debug)]
pub(crate) struct RunLock {
    _held: File,
}

impl RunLock {
    /// Holds the lock of the run in the folder `run`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Running`] if another process trains the run, [`TrainError::Io`] if the file cannot be made.
    pub(crate) fn hold(run: &Path) -> Result<Self, TrainError> {
        let path = path_in(run);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(TrainError::io("create", &path))?;
        let mut locked = file.try_lock();
        for _ in 0..AGAIN.0 {
            if !matches!(locked, Err(TryLockError::WouldBlock)) {
                break;
            }
            std::thread::sleep(AGAIN.1);
            locked = file.try_lock();
        }
        match locked {
            Ok(()) => Ok(Self { _held: file }),
            Err(TryLockError::WouldBlock) => Err(TrainError::Running { path: run.to_owned() }),
            // A file system without locks: nobody sees that the run trains.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                Ok(Self { _held: file })
            }
            Err(TryLockError::Error(error)) => Err(TrainError::io("lock", &path)(error)),
        }
    }

    /// Whether a process holds the lock of the run in the folder `run`, as far as the file system tells.
    pub(crate) fn is_held(run: &Path) -> bool {
        let path = path_in(run);
        // Opening a pipe would wait for its other end.
        let is_file = std::fs::metadata(&path).is_ok_and(|found| found.is_file());
        let file = is_file.then(|| File::open(path).ok()).flatten();
        file.is_some_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

fn path_in(run: &Path) -> PathBuf {
    run.join("run.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_trained_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!RunLock::is_held(folder.path()));
        let held = RunLock::hold(folder.path()).unwrap();
        assert!(RunLock::is_held(folder.path()));
        let error = RunLock::hold(folder.path()).unwrap_err();
        assert!(matches!(error, TrainError::Running { .. }), "{error}");
        drop(held);
        assert!(!RunLock::is_held(folder.path()));
        RunLock::hold(folder.path()).unwrap();
    }
}
