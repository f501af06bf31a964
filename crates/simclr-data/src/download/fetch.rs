//! Receiving a file that may be long, over a connection that may be cut.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

use ureq::{
    Body,
    http::{HeaderMap, Response, StatusCode, header},
};

use super::{DownloadError, DownloadProgress, DownloadStage, OnProgress, archive::io_error};

/// How many times a transfer is taken up again before it counts as interrupted.
const ATTEMPTS: usize = 10;

/// A file to be received.
pub(super) struct Fetch<'a> {
    pub(super) agent: &'a ureq::Agent,
    pub(super) url: &'a str,
    /// Where it goes; what is there already is its beginning.
    pub(super) part: &'a Path,
    /// Most bytes that are accepted.
    pub(super) most: u64,
}

/// How an answer ended.
enum Outcome {
    Complete,
    /// The connection was cut after so many bytes in all.
    Cut(u64, io::Error),
    /// What is there doesn't fit what the server has.
    Unusable,
}

impl Fetch<'_> {
    pub(super) fn run(&self, on_progress: &mut OnProgress<'_>) -> Result<(), DownloadError> {
        let mut cut = (0, io::Error::from(io::ErrorKind::UnexpectedEof));
        for _ in 0..ATTEMPTS {
            let held = match fs::metadata(self.part) {
                Ok(metadata) => metadata.len(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
                Err(source) => return Err(io_error(self.part, source)),
            };
            match self.attempt(held, on_progress)? {
                Outcome::Complete => return Ok(()),
                Outcome::Unusable => {
                    fs::remove_file(self.part).map_err(|source| io_error(self.part, source))?;
                }
                Outcome::Cut(received, source) => {
                    cut = (received, source);
                    // Nothing gained: asking again at once would gain nothing either.
                    if received <= held {
                        break;
                    }
                }
            }
        }
        Err(DownloadError::Interrupted { url: self.url.to_owned(), received: cut.0, source: cut.1 })
    }

    /// Asks for what comes after the first `held` bytes.
    fn attempt(
        &self,
        held: u64,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<Outcome, DownloadError> {
        let mut request = self.agent.get(self.url);
        if held > 0 {
            request = request.header(header::RANGE, format!("bytes={held}-"));
        }
        let response = request.call().map_err(|source| DownloadError::Request {
            url: self.url.to_owned(),
            source: Box::new(source),
        })?;
        match response.status() {
            StatusCode::PARTIAL_CONTENT => match ContentRange::of(response.headers()) {
                Some(range) if range.start == Some(held) => {
                    self.receive(response, held, range.total, on_progress)
                }
                _ if held > 0 => Ok(Outcome::Unusable),
                _ => Err(self.refused(StatusCode::PARTIAL_CONTENT)),
            },
            // The server doesn't do ranges: from the beginning.
            StatusCode::OK => {
                let total = response.body().content_length();
                self.receive(response, 0, total, on_progress)
            }
            // Nothing comes after what is there: it is the whole file, or too much of it.
            StatusCode::RANGE_NOT_SATISFIABLE if held > 0 => {
                let total = ContentRange::of(response.headers()).and_then(|range| range.total);
                Ok(if total == Some(held) { Outcome::Complete } else { Outcome::Unusable })
            }
            status => Err(self.refused(status)),
        }
    }

    fn refused(&self, status: StatusCode) -> DownloadError {
        DownloadError::Status { url: self.url.to_owned(), status: status.as_u16() }
    }

    /// Writes the body after the first `held` bytes of the file.
    fn receive(
        &self,
        response: Response<Body>,
        held: u64,
        total: Option<u64>,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<Outcome, DownloadError> {
        let mut file = self.open(held).map_err(|source| io_error(self.part, source))?;
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
            if progress.bytes > self.most {
                fs::remove_file(self.part).map_err(|source| io_error(self.part, source))?;
                return Err(DownloadError::TooLong { url: self.url.to_owned(), most: self.most });
            }
            file.write_all(&buffer[..count]).map_err(|source| io_error(self.part, source))?;
        }
        match total {
            Some(total) if progress.bytes < total => {
                Ok(Outcome::Cut(progress.bytes, io::ErrorKind::UnexpectedEof.into()))
            }
            _ => Ok(Outcome::Complete),
        }
    }

    /// Opens the file for writing after its first `held` bytes.
    fn open(&self, held: u64) -> io::Result<File> {
        if held == 0 {
            File::create(self.part)
        } else {
            OpenOptions::new().append(true).open(self.part)
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
