//! How far a download is.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use super::error::DownloadError;

/// The stages of a download, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownloadStage {
    /// Waiting for another process, which fetches the same file.
    Waiting,
    /// Receiving the file.
    Fetching,
    /// Computing the file's checksum.
    Verifying,
    /// Writing the files inside an archive.
    Unpacking,
}

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadProgress {
    /// The present stage.
    pub stage: DownloadStage,
    /// Bytes of the file that this stage has dealt with. Bytes that an earlier, interrupted download received count
    /// as received.
    pub bytes: u64,
    /// Length of the file in bytes, if the server tells.
    pub total: Option<u64>,
}

/// A caller's function that is told how far a download is.
pub(super) type OnProgress<'a> = dyn FnMut(DownloadProgress) + 'a;

/// A file that reports how much of it was read.
pub(super) struct Watched<'a, 'b> {
    file: File,
    progress: DownloadProgress,
    on_progress: &'a mut OnProgress<'b>,
}

impl<'a, 'b> Watched<'a, 'b> {
    pub(super) fn open(
        path: &Path,
        stage: DownloadStage,
        on_progress: &'a mut OnProgress<'b>,
    ) -> Result<Self, DownloadError> {
        let failed = |source| DownloadError::io(path, source);
        let file = File::open(path).map_err(failed)?;
        let total = file.metadata().map_err(failed)?.len();
        let progress = DownloadProgress { stage, bytes: 0, total: Some(total) };
        Ok(Self { file, progress, on_progress })
    }
}

impl Read for Watched<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.progress.bytes += count as u64;
        (self.on_progress)(self.progress);
        Ok(count)
    }
}
