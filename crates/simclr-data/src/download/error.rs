//! What can go wrong in a download.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::weights::HubRefusal;

/// A download that failed. Where it can, the next try continues with what was received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The request cannot be made, or the server does not answer.
    #[error("cannot request {url}")]
    Request {
        /// Address of the file.
        url: String,
        /// The reason.
        source: Box<ureq::Error>,
    },
    /// The server refuses.
    #[error("expected {url} to answer with status 200 or 206, found {status}")]
    Status {
        /// Address of the file.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The connection broke too often. The part that was received is kept for the next try.
    #[error(
        "the transfer of {url} broke off after {received} bytes; run again to continue from there"
    )]
    Interrupted {
        /// Address of the file.
        url: String,
        /// Bytes received so far.
        received: u64,
        /// The reason.
        source: io::Error,
    },
    /// The server leads elsewhere, to where it must not.
    #[error("cannot follow the redirect of {url}: {reason}")]
    Redirect {
        /// Address of the file.
        url: String,
        /// What was expected and found.
        reason: String,
    },
    /// The server sends more than the file can have, or more than was announced.
    #[error("expected at most {most} bytes from {url}, found more")]
    TooLong {
        /// Address of the file.
        url: String,
        /// Most bytes that are accepted.
        most: u64,
    },
    /// The file is not the published one. It is removed if it was downloaded, and kept if it was there before.
    #[error("expected {} to have {expected}, found {found}", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The published sum, and its algorithm.
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
    /// The address of published weights is none.
    #[error("expected {expected}, found {found}")]
    Address {
        /// What an address is.
        expected: String,
        /// What was given.
        found: String,
    },
    /// The Hugging Face hub doesn't hand out the file.
    #[error("cannot fetch from the repository {repository}: {reason}")]
    Hub {
        /// Owner and name of the repository.
        repository: String,
        /// Why.
        reason: HubRefusal,
    },
    /// A server that should be the hub, or a mirror of it, doesn't answer as the hub does.
    #[error(
        "expected {url} to answer with a commit, and a length or SHA-256, as the hub does, found none"
    )]
    NotTheHub {
        /// Address of the file.
        url: String,
    },
    /// The address of the hub's mirror is not safe.
    #[error(
        "expected HF_ENDPOINT to be an address that begins with https:// and has no user, found {found}"
    )]
    Endpoint {
        /// The address.
        found: String,
    },
    /// A token cannot be one. The error doesn't hold it.
    #[error("expected {from} to hold a token of visible ASCII characters, found others")]
    Token {
        /// The environment variable or the file.
        from: String,
    },
    /// The weights are not in the cache, and nothing may be fetched.
    #[error("expected {address} in the cache in {}, as nothing is fetched offline, found it not there", folder.display())]
    Offline {
        /// The address.
        address: String,
        /// The cache.
        folder: PathBuf,
    },
    /// No folder is known for the cache.
    #[error(
        "expected a folder for the cache in SIMCLR_CACHE, XDG_CACHE_HOME or HOME, found none of them set"
    )]
    NoCache,
}

impl DownloadError {
    /// A file or folder that cannot be read or written.
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}
