//! A file of the cache.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    io::{self, Read},
    path::{Path, PathBuf},
};

use sha2::Sha256;
use simclr_files::{create_folders, replace_file};

use crate::download::{
    checksum::sum_of,
    client::Client,
    error::DownloadError,
    fetch::Fetch,
    progress::{DownloadProgress, DownloadStage, OnProgress},
};

/// Longest file of a sum that is read.
const MOST_SUM: u64 = 1024;

/// A file of the cache, and those beside it: `.sha256` with its sum, as `sha256sum` has it, `.part` with what was received
/// of it, and `.lock`, which the process that fetches it holds. It is whole if its sum is there and is right.
pub(super) struct CachedFile {
    pub(super) path: PathBuf,
}

/// What is published of a file.
pub(super) struct Published<'a> {
    pub(super) url: &'a str,
    /// The SHA-256 sum in hexadecimal digits, or as many of them as are published; empty for none.
    pub(super) sha256: &'a str,
    /// In bytes.
    pub(super) length: Option<u64>,
}

impl CachedFile {
    /// The file's SHA-256 sum; `None` if the file is not there.
    ///
    /// # Errors
    ///
    /// [`DownloadError::Checksum`] if it is damaged.
    pub(super) fn whole(
        &self,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<Option<String>, DownloadError> {
        let Some(expected) = self.noted_sum()? else { return Ok(None) };
        if !self.path.is_file() {
            return Ok(None);
        }
        let found = sum_of::<Sha256>(&self.path, on_progress)?;
        if found == expected {
            return Ok(Some(found));
        }
        let expected = format!("SHA-256 {expected}");
        Err(DownloadError::Checksum { path: self.path.clone(), expected, found })
    }

    /// The sum of the file, which is fetched if it is not there whole.
    pub(super) fn obtain(
        &self,
        client: &Client,
        published: &Published<'_>,
        most: u64,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<String, DownloadError> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        create_folders(folder).map_err(|source| DownloadError::io(folder, source))?;
        let _lock = self.lock(on_progress)?;
        match self.whole(on_progress) {
            // Otherwise another process has fetched another one of this name, and neither is to be trusted.
            Ok(Some(sum)) if sum.starts_with(published.sha256) => return Ok(sum),
            Ok(_) | Err(DownloadError::Checksum { .. }) => {}
            Err(error) => return Err(error),
        }
        let part = self.beside(".part");
        let (url, length) = (published.url, published.length);
        let fetch = Fetch { client, url, part: &part, most, length };
        fetch.run(on_progress)?;
        let found = sum_of::<Sha256>(&part, on_progress)?;
        if !found.starts_with(published.sha256) {
            // Otherwise the next try would append to a wrong beginning.
            fetch.remove()?;
            let expected = match published.sha256.len() {
                64 => format!("SHA-256 {}", published.sha256),
                _ => format!("a SHA-256 that begins with {}", published.sha256),
            };
            return Err(DownloadError::Checksum { path: part, expected, found });
        }
        self.note_sum(&found)?;
        fetch.keep_as(&self.path)?;
        Ok(found)
    }

    /// Waits until no other process fetches the file. The lock ends with the file that is returned, or with the process.
    fn lock(&self, on_progress: &mut OnProgress<'_>) -> Result<File, DownloadError> {
        let path = self.beside(".lock");
        let failed = |source| DownloadError::io(&path, source);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let (stage, total) = (DownloadStage::Waiting, None);
                on_progress(DownloadProgress { stage, bytes: 0, total });
                file.lock().map_err(failed)?;
            }
            // A file system without locks: the sum at the end tells whether two have written the same part.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        Ok(file)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut path = OsString::from(&self.path);
        path.push(ending);
        path.into()
    }

    fn noted_sum(&self) -> Result<Option<String>, DownloadError> {
        let path = self.beside(".sha256");
        let mut text = String::new();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(DownloadError::io(&path, source)),
        };
        match file.take(MOST_SUM).read_to_string(&mut text) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
            Err(source) => return Err(DownloadError::io(&path, source)),
            Ok(_) => {}
        }
        Ok(text.split_whitespace().next().map(str::to_owned))
    }

    fn note_sum(&self, sum: &str) -> Result<(), DownloadError> {
        let path = self.beside(".sha256");
        let name = self.path.file_name().unwrap_or_default().display();
        replace_file(&path, |file| writeln!(file, "{sum}  {name}"))
            .map_err(|source| DownloadError::io(&path, source))
    }
}
