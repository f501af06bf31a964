//! Receiving a large file over a connection that may break.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

use simclr_files::{WrittenFile, remove_file, rename};
use ureq::{
    Body,
    http::{HeaderMap, Response, StatusCode, header},
};

use super::{
    client::{Client, refused},
    error::DownloadError,
    progress::{DownloadProgress, DownloadStage, OnProgress},
    validator::Validator,
};

/// How many requests are made before a transfer that breaks off each time counts as interrupted.
const ATTEMPTS: usize = 10;

/// A file to receive.
pub(super) struct Fetch<'a> {
    pub(super) client: &'a Client,
    pub(super) url: &'a str,
    /// Where the file is written. What exists already is its beginning. A [`Validator`] lies beside it.
    pub(super) part: &'a Path,
    /// Most bytes that are accepted.
    pub(super) most: u64,
    /// The file's length, if it was announced beside the file.
    pub(super) length: Option<u64>,
}

/// How an answer ended.
enum Outcome {
    Complete,
    /// The connection broke; the file has so many bytes now.
    Cut(u64, io::Error),
    /// What exists is no beginning of the server's file.
    Unusable,
}

impl Fetch<'_> {
    pub(super) fn run(&self, on_progress: &mut OnProgress<'_>) -> Result<(), DownloadError> {
        if self.length.is_some_and(|length| length > self.most) {
            return Err(self.too_long());
        }
        let mut cut = (0, io::Error::from(io::ErrorKind::UnexpectedEof));
        for _ in 0..ATTEMPTS {
            let held = match fs::metadata(self.part) {
                Ok(metadata) => metadata.len(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
                Err(source) => return Err(self.failed(source)),
            };
            if held > 0 && self.length == Some(held) {
                return Ok(());
            }
            match self.attempt(held, on_progress)? {
                Outcome::Complete => return Ok(()),
                Outcome::Unusable => self.remove()?,
                Outcome::Cut(received, source) => {
                    cut = (received, source);
                    // Nothing new came, so another request at once would not help.
                    if received <= held {
                        break;
                    }
                }
            }
        }
        Err(DownloadError::Interrupted { url: self.url.to_owned(), received: cut.0, source: cut.1 })
    }

    /// Removes what was received.
    pub(super) fn remove(&self) -> Result<(), DownloadError> {
        remove_file(self.part).map_err(|source| self.failed(source))?;
        Validator::beside(self.part).remove()
    }

    /// Gives what was received its name.
    pub(super) fn keep_as(&self, path: &Path) -> Result<(), DownloadError> {
        rename(self.part, path).map_err(|source| DownloadError::io(path, source))?;
        Validator::beside(self.part).remove()
    }

    /// Requests what follows the first `held` bytes.
    fn attempt(
        &self,
        held: u64,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<Outcome, DownloadError> {
        let mut headers = Vec::new();
        if held > 0 {
            headers.push((header::RANGE, format!("bytes={held}-")));
            let noted = Validator::beside(self.part).read()?;
            headers.extend(noted.map(|noted| (header::IF_RANGE, noted)));
        }
        let response = self.client.get(self.url, &headers)?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => match ContentRange::of(response.headers()) {
                Some(range) if range.start == Some(held) => {
                    self.receive(response, held, range.total, on_progress)
                }
                _ if held > 0 => Ok(Outcome::Unusable),
                _ => Err(refused(self.url, StatusCode::PARTIAL_CONTENT)),
            },
            // The server does not support ranges, or has another file now: it starts from the beginning.
            StatusCode::OK => {
                let total = response.body().content_length();
                self.receive(response, 0, total, on_progress)
            }
            // Nothing follows what exists, which is the whole file or longer than it.
            StatusCode::RANGE_NOT_SATISFIABLE if held > 0 => {
                let total = ContentRange::of(response.headers()).and_then(|range| range.total);
                Ok(if total == Some(held) { Outcome::Complete } else { Outcome::Unusable })
            }
            status => Err(refused(self.url, status)),
        }
    }

    fn too_long(&self) -> DownloadError {
        DownloadError::TooLong { url: self.url.to_owned(), most: self.most() }
    }

    /// Most bytes that the file can have.
    fn most(&self) -> u64 {
        self.length.map_or(self.most, |length| length.min(self.most))
    }

    fn failed(&self, source: io::Error) -> DownloadError {
        DownloadError::io(self.part, source)
    }

    /// Writes the response's body after the first `held` bytes of the file.
    fn receive(
        &self,
        response: Response<Body>,
        held: u64,
        total: Option<u64>,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<Outcome, DownloadError> {
        if total.is_some_and(|total| total > self.most()) {
            return Err(self.too_long());
        }
        let total = self.length.or(total);
        let mut file = self.open(held).map_err(|source| self.failed(source))?;
        if held == 0 {
            Validator::beside(self.part).note(response.headers())?;
        }
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        let mut progress = DownloadProgress { stage: DownloadStage::Fetching, bytes: held, total };
        loop {
            on_progress(progress);
            let count = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(source) => return Ok(Outcome::Cut(progress.bytes, source)),
            };
            progress.bytes += count as u64;
            if progress.bytes > self.most() {
                self.remove()?;
                return Err(self.too_long());
            }
            file.write_all(&buffer[..count]).map_err(|source| self.failed(source))?;
        }
        file.sync_all().map_err(|source| self.failed(source))?;
        match total {
            Some(total) if progress.bytes < total => {
                Ok(Outcome::Cut(progress.bytes, io::ErrorKind::UnexpectedEof.into()))
            }
            _ => Ok(Outcome::Complete),
        }
    }

    /// Opens the file for writing after its first `held` bytes.
    fn open(&self, held: u64) -> io::Result<WrittenFile> {
        if held == 0 {
            WrittenFile::create(self.part)
        } else {
            WrittenFile::open(self.part, File::options().append(true))
        }
    }
}

/// The header `Content-Range: bytes START-END/TOTAL`, or `bytes */TOTAL` (RFC 9110, section 14.4).
struct ContentRange {
    start: Option<u64>,
    total: Option<u64>,
}

impl ContentRange {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(header::CONTENT_RANGE)?.to_str().ok()?;
        let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
        let start = range.split_once('-').and_then(|(start, _)| start.parse().ok());
        Some(Self { start, total: total.parse().ok() })
    }
}
