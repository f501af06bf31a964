//! Where results are written.

use std::io;
use std::path::Path;

use anyhow::{Context, Result};

/// Checks that the folder of a file exists, before there is a result that cannot be written.
pub(crate) fn check_folder_of(file: Option<&Path>) -> Result<()> {
    let Some(file) = file else { return Ok(()) };
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            let missing = format!("there is no folder {}", folder.display());
            Err(io::Error::new(io::ErrorKind::NotFound, missing))
                .with_context(|| format!("cannot write {}", file.display()))
        }
        _ => Ok(()),
    }
}
