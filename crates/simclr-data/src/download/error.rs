//! What can go wrong in a download.

use std::{
    io,
    path::{Path, PathBuf},
};

/// A download that failed. Where it can, the next try continues with what was received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The request cannot be made, or the server does not answer.
    #[error("cannot request {url}")]
    Request {
        /// Address of the archive.
        url: String,
        /// The reason.
        source: Box<ureq::Error>,
    },
    /// The server refuses.
    #[error("expected {url} to answer with status 200 or 206, found {status}")]
    Status {
        /// Address of the archive.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The connection broke too often. The part that was received is kept for the next try.
    #[error(
        "the transfer of {url} broke off after {received} bytes; run again to continue from there"
    )]
    Interrupted {
        /// Address of the archive.
        url: String,
        /// Bytes received so far.
        received: u64,
        /// The reason.
        source: io::Error,
    },
    /// The server sends more than the archive can hold.
    #[error("expected at most {most} bytes from {url}, found more")]
    TooLong {
        /// Address of the archive.
        url: String,
        /// Most bytes that are accepted.
        most: u64,
    },
    /// The archive is not the official one. It is removed if it was downloaded, and kept if it was there before.
    #[error("expected {} to have MD5 {expected}, found {found}", path.display())]
    Checksum {
        /// The archive.
        path: PathBuf,
        /// The official sum.
        expected: String,
        /// The sum found.
        found: String,
    },
    /// A file cannot be read or written.
    #[error("cannot read or write {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The archive cannot be unpacked.
    #[error("expected a gzipped tar archive in {}, found something else", path.display())]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The archive contains something that is no part of the data set.
    #[error("expected only the files of {data_set} in {}, found {kind} `{entry}`", path.display())]
    UnexpectedEntry {
        /// The archive.
        path: PathBuf,
        /// Name of the data set.
        data_set: &'static str,
        /// The entry's path inside the archive.
        entry: String,
        /// What the entry is: `the file`, `the link`, ...
        kind: &'static str,
    },
    /// A file inside the archive is larger than it can be.
    #[error("expected `{entry}` in {} to have at most {most} bytes, found more", path.display())]
    EntryTooLong {
        /// The archive.
        path: PathBuf,
        /// The entry's path inside the archive.
        entry: String,
        /// Most bytes that are accepted.
        most: u64,
    },
    /// The archive lacks a file of the data set.
    #[error("expected `{entry}` in {}, found no such file", path.display())]
    MissingEntry {
        /// The archive.
        path: PathBuf,
        /// Name of the file.
        entry: &'static str,
    },
}

impl DownloadError {
    /// A file or folder that cannot be read or written.
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
