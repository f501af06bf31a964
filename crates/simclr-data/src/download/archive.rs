//! An archive on a server, and how its files come into a folder.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use md5::{Digest, Md5};

use super::{DownloadError, DownloadProgress, DownloadStage, OnProgress, fetch::Fetch, unpack};

/// A gzipped tar archive.
pub(super) struct Archive<'a> {
    pub(super) url: &'a str,
    /// Its name on disk.
    pub(super) file_name: &'a str,
    /// Its MD5 sum in lower-case hexadecimal digits.
    pub(super) md5: &'a str,
    /// Most bytes that it can have.
    pub(super) most: u64,
    /// The files inside, all of which must be there.
    pub(super) members: &'a [Member],
}

/// A file inside an archive.
pub(super) struct Member {
    pub(super) name: &'static str,
    /// Most bytes that it can have.
    pub(super) most: u64,
}

impl Archive<'_> {
    /// Makes sure that all members are in `dir`.
    pub(super) fn obtain(
        &self,
        agent: &ureq::Agent,
        dir: &Path,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<(), DownloadError> {
        if self.members.iter().all(|member| dir.join(member.name).is_file()) {
            return Ok(());
        }
        fs::create_dir_all(dir).map_err(|source| io_error(dir, source))?;
        let kept = dir.join(self.file_name);
        if kept.is_file() {
            self.verify(&kept, on_progress)?;
            return unpack::unpack(&kept, dir, self.members, on_progress);
        }
        let part = dir.join(format!("{}.part", self.file_name));
        Fetch { agent, url: self.url, part: &part, most: self.most }.run(on_progress)?;
        if let Err(error) = self.verify(&part, on_progress) {
            if matches!(error, DownloadError::Checksum { .. }) {
                // Else the next try would add to what is wrong already.
                fs::remove_file(&part).map_err(|source| io_error(&part, source))?;
            }
            return Err(error);
        }
        unpack::unpack(&part, dir, self.members, on_progress)?;
        fs::remove_file(&part).map_err(|source| io_error(&part, source))
    }

    fn verify(&self, path: &Path, on_progress: &mut OnProgress<'_>) -> Result<(), DownloadError> {
        let mut reader = Watched::open(path, DownloadStage::Verifying, on_progress)?;
        let mut hasher = Md5::new();
        let mut buffer = vec![0; 1 << 18];
        loop {
            let count = reader.read(&mut buffer).map_err(|source| io_error(path, source))?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
        }
        let found = hexadecimal(&hasher.finalize());
        if found == self.md5 {
            return Ok(());
        }
        Err(DownloadError::Checksum { path: path.to_owned(), expected: self.md5.to_owned(), found })
    }
}

/// A file whose reading is reported.
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
        let file = File::open(path).map_err(|source| io_error(path, source))?;
        let total = file.metadata().map_err(|source| io_error(path, source))?.len();
        Ok(Self {
            file,
            progress: DownloadProgress { stage, bytes: 0, total: Some(total) },
            on_progress,
        })
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

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn io_error(path: &Path, source: io::Error) -> DownloadError {
    DownloadError::Io { path: path.to_owned(), source }
}
