//! By what a server tells its file from another one of the same address.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use simclr_files::{remove_file, replace_file};
use ureq::http::{HeaderMap, HeaderValue, header};

use super::error::DownloadError;

/// Longest value that is kept.
const MOST_BYTES: u64 = 1024;

/// The value of a server's `ETag` or `Last-Modified`, in a file beside the part that was received. Sent back as
/// `If-Range` (RFC 9110, section 13.1.5), it makes the server begin anew if it has another file by now.
pub(super) struct Validator {
    path: PathBuf,
}

impl Validator {
    pub(super) fn beside(part: &Path) -> Self {
        let mut path = OsString::from(part);
        path.push(".validator");
        Self { path: path.into() }
    }

    /// Keeps what the head of an answer says; nothing if it says nothing that serves.
    pub(super) fn note(&self, headers: &HeaderMap) -> Result<(), DownloadError> {
        let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
        // A weak one is the same for files that differ in some bytes.
        let strong = tag.filter(|tag| tag.starts_with('"'));
        let modified = || headers.get(header::LAST_MODIFIED)?.to_str().ok();
        match strong.or_else(modified).filter(|value| value.len() as u64 <= MOST_BYTES) {
            Some(value) => replace_file(&self.path, |file| file.write_all(value.as_bytes()))
                .map_err(|source| DownloadError::io(&self.path, source)),
            None => self.remove(),
        }
    }

    /// What was kept.
    pub(super) fn read(&self) -> Result<Option<String>, DownloadError> {
        let mut text = String::new();
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(DownloadError::io(&self.path, source)),
        };
        let read = file.take(MOST_BYTES).read_to_string(&mut text);
        Ok(read.ok().filter(|_| HeaderValue::from_str(&text).is_ok()).map(|_| text))
    }

    pub(super) fn remove(&self) -> Result<(), DownloadError> {
        match remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(DownloadError::io(&self.path, error))
            }
            _ => Ok(()),
        }
    }
}
