//! Fetching the official archives of STL-10 and CIFAR-10.

mod archive;
mod fetch;
mod unpack;

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use self::archive::{Archive, Member};
use crate::{Cifar10, Stl10};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownloadStage {
    /// Receiving the archive.
    Fetching,
    /// Computing the archive's checksum.
    Verifying,
    /// Writing the files inside the archive.
    Unpacking,
}

/// How far a download has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadProgress {
    /// What is being done.
    pub stage: DownloadStage,
    /// Bytes of the archive received, checked or unpacked so far; what an earlier, interrupted download left counts as
    /// received.
    pub bytes: u64,
    /// Length of the archive in bytes, if the server tells.
    pub total: Option<u64>,
}

/// A download that failed. What was received is kept where that makes sense, so that trying again goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// The server cannot be asked, or does not answer.
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
    /// The connection was cut again and again; the part received is kept for the next try.
    #[error(
        "the transfer of {url} was cut off after {received} bytes; run again to go on from there"
    )]
    Interrupted {
        /// Address of the archive.
        url: String,
        /// Bytes received so far.
        received: u64,
        /// The reason.
        source: io::Error,
    },
    /// The server sends more than the archive can be.
    #[error("expected at most {most} bytes from {url}, found more")]
    TooLong {
        /// Address of the archive.
        url: String,
        /// Most bytes accepted.
        most: u64,
    },
    /// The archive is not the official one. What was downloaded is removed, an archive that was there before is not.
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
    /// The archive contains something that does not belong there.
    #[error("expected only the files of STL-10 in {}, found {kind} `{entry}`", path.display())]
    UnexpectedEntry {
        /// The archive.
        path: PathBuf,
        /// The entry's path inside the archive.
        entry: String,
        /// What it is: a link, a file, ...
        kind: &'static str,
    },
    /// A file inside the archive is larger than it can be.
    #[error("expected `{entry}` in {} to have at most {most} bytes, found more", path.display())]
    EntryTooLong {
        /// The archive.
        path: PathBuf,
        /// The entry's path inside the archive.
        entry: String,
        /// Most bytes accepted.
        most: u64,
    },
    /// The archive lacks a file.
    #[error("expected `{entry}` in {}, found no such file", path.display())]
    MissingEntry {
        /// The archive.
        path: PathBuf,
        /// Name of the file.
        entry: &'static str,
    },
}

/// Where callers hear how far a download has come.
type OnProgress<'a> = dyn FnMut(DownloadProgress) + 'a;

/// The address and the sum are those that torchvision's `STL10` uses.
const STL10_ARCHIVE: Archive<'static> = Archive {
    url: "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz",
    file_name: "stl10_binary.tar.gz",
    md5: "91f7769df0f17e558f3565bffb0c7dfb",
    // The archive has 2.64 GB.
    most: 2_700_000_000,
    members: &[
        Member { name: "train_X.bin", most: 5_000 * 27_648 },
        Member { name: "train_y.bin", most: 5_000 },
        Member { name: "test_X.bin", most: 8_000 * 27_648 },
        Member { name: "test_y.bin", most: 8_000 },
        Member { name: "unlabeled_X.bin", most: 100_000 * 27_648 },
        Member { name: "class_names.txt", most: 1 << 20 },
        Member { name: "fold_indices.txt", most: 1 << 20 },
    ],
};

/// The address and the sum are those of the data set's page.
const CIFAR10_ARCHIVE: Archive<'static> = Archive {
    url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    file_name: "cifar-10-binary.tar.gz",
    md5: "c32a1d4ab5d03f1284b67883e8d87530",
    // The archive has 170 MB.
    most: 180_000_000,
    members: &[
        Member { name: "data_batch_1.bin", most: 10_000 * 3_073 },
        Member { name: "data_batch_2.bin", most: 10_000 * 3_073 },
        Member { name: "data_batch_3.bin", most: 10_000 * 3_073 },
        Member { name: "data_batch_4.bin", most: 10_000 * 3_073 },
        Member { name: "data_batch_5.bin", most: 10_000 * 3_073 },
        Member { name: "test_batch.bin", most: 10_000 * 3_073 },
        Member { name: "batches.meta.txt", most: 1 << 20 },
        Member { name: "readme.html", most: 1 << 20 },
    ],
};

impl Stl10 {
    /// Puts the official STL-10 files into the folder `dir`, which is made if it is not there, and returns it.
    ///
    /// If all files are there already, nothing is done. Else the archive (2.6 GB) is fetched into
    /// `stl10_binary.tar.gz.part`, going on from where an earlier download stopped; its MD5 sum is checked; and its
    /// files (3.1 GB) are unpacked, each under a temporary name first, so that a file with its final name is whole.
    /// The archive is removed at the end. An archive `stl10_binary.tar.gz` that is already in the folder is used
    /// instead, and left there.
    ///
    /// ```no_run
    /// use simclr_data::{Splits, Stl10};
    ///
    /// let dir = Stl10::download("data/stl10", &mut |progress| {
    ///     eprint!("\r{:?} {} MB", progress.stage, progress.bytes / 1_000_000);
    /// })?;
    /// let splits = Splits::open(dir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`DownloadError`].
    pub fn download(
        dir: impl AsRef<Path>,
        on_progress: &mut dyn FnMut(DownloadProgress),
    ) -> Result<PathBuf, DownloadError> {
        STL10_ARCHIVE.obtain(&agent(), dir.as_ref(), on_progress)?;
        Ok(dir.as_ref().to_owned())
    }
}

impl Cifar10 {
    /// Puts the official binary files of CIFAR-10 into the folder `dir`, which is made if it is not there, and returns
    /// it: an archive of 170 MB, for files of 184 MB. It goes on, checks and unpacks as [`Stl10::download`] does.
    ///
    /// ```no_run
    /// use simclr_data::{Cifar10, Splits};
    ///
    /// let dir = Cifar10::download("data/cifar10", &mut |progress| {
    ///     eprint!("\r{:?} {} MB", progress.stage, progress.bytes / 1_000_000);
    /// })?;
    /// let splits = Splits::open(dir)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`DownloadError`].
    pub fn download(
        dir: impl AsRef<Path>,
        on_progress: &mut dyn FnMut(DownloadProgress),
    ) -> Result<PathBuf, DownloadError> {
        CIFAR10_ARCHIVE.obtain(&agent(), dir.as_ref(), on_progress)?;
        Ok(dir.as_ref().to_owned())
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(Duration::from_secs(30)))
        // A transfer may take hours, but not stand still for a minute.
        .timeout_per_read(Some(Duration::from_mins(1)))
        .build()
        .new_agent()
}

#[cfg(test)]
mod tests;
