//! What is asked of a disk.

use std::io;
use std::path::Path;

/// What is asked of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    not(feature = "faults"),
    expect(dead_code, unreachable_pub, reason = "a part of the feature's module")
)]
pub enum Operation {
    /// Opens a file to write to it, and makes it if need be.
    Open,
    /// Writes some bytes.
    Write,
    /// Changes a file's length.
    Resize,
    /// Waits until a file or a folder is on the disk.
    Sync,
    /// Gives a file or folder another name, under which there may be one.
    Rename,
    /// Gives a file a second name.
    Link,
    /// Removes a name.
    Remove,
    /// Makes a folder.
    MakeFolder,
}

/// Does what is asked, unless a test lets it fail.
pub(crate) fn perform<T>(
    operation: Operation,
    path: &Path,
    to: Option<&Path>,
    act: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    #[cfg(feature = "faults")]
    if let Some(error) = crate::faults::next(operation, path, to) {
        return Err(error);
    }
    #[cfg(not(feature = "faults"))]
    let _ = (operation, path, to);
    act()
}

/// Whether a test has the process stop before it removes what it leaves at `path`.
pub(crate) fn is_stopped(path: &Path) -> bool {
    #[cfg(feature = "faults")]
    let is_stopped = crate::faults::is_stopped(path);
    #[cfg(not(feature = "faults"))]
    let is_stopped = {
        let _ = path;
        false
    };
    is_stopped
}
