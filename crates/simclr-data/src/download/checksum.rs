//! The sum of a file.

use std::{io::Read, path::Path};

use md5::Digest;

use super::{
    error::DownloadError,
    progress::{DownloadStage, OnProgress, Watched},
};

/// The sum of the file at `path` in lower-case hexadecimal digits.
pub(super) fn sum_of<D: Digest>(
    path: &Path,
    on_progress: &mut OnProgress<'_>,
) -> Result<String, DownloadError> {
    let mut reader = Watched::open(path, DownloadStage::Verifying, on_progress)?;
    let mut hasher = D::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = reader.read(&mut buffer).map_err(|source| DownloadError::io(path, source))?;
        if count == 0 {
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(&buffer[..count]);
    }
}
