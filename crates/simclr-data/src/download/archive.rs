//! An archive on a server, and how its files come into a folder.

use std::{fs, io::Read, path::Path};

use md5::{Digest, Md5};

use super::{
    error::DownloadError,
    fetch::Fetch,
    progress::{DownloadStage, OnProgress, Watched},
    unpack::{Member, Packed},
};

/// A gzipped tar archive of a data set.
pub(super) struct Archive<'a> {
    /// Name of the data set.
    pub(super) data_set: &'static str,
    pub(super) url: &'a str,
    /// Name of the archive on disk.
    pub(super) file_name: &'a str,
    /// MD5 sum in lower-case hexadecimal digits.
    pub(super) md5: &'a str,
    /// Most bytes that the archive can have.
    pub(super) most: u64,
    /// The files inside, all of which are required.
    pub(super) members: &'a [Member],
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
        fs::create_dir_all(dir).map_err(|source| DownloadError::io(dir, source))?;
        let kept = dir.join(self.file_name);
        if kept.is_file() {
            self.verify(&kept, on_progress)?;
            return self.packed(&kept).unpack(dir, on_progress);
        }
        let part = dir.join(format!("{}.part", self.file_name));
        let remove_part =
            || fs::remove_file(&part).map_err(|source| DownloadError::io(&part, source));
        Fetch { agent, url: self.url, part: &part, most: self.most }.run(on_progress)?;
        if let Err(error) = self.verify(&part, on_progress) {
            if matches!(error, DownloadError::Checksum { .. }) {
                // Otherwise the next try would append to a wrong beginning.
                remove_part()?;
            }
            return Err(error);
        }
        self.packed(&part).unpack(dir, on_progress)?;
        remove_part()
    }

    fn packed<'a>(&'a self, path: &'a Path) -> Packed<'a> {
        Packed { path, data_set: self.data_set, members: self.members }
    }

    fn verify(&self, path: &Path, on_progress: &mut OnProgress<'_>) -> Result<(), DownloadError> {
        let mut reader = Watched::open(path, DownloadStage::Verifying, on_progress)?;
        let mut hasher = Md5::new();
        let mut buffer = vec![0; 1 << 18];
        loop {
            let count =
                reader.read(&mut buffer).map_err(|source| DownloadError::io(path, source))?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
        }
        let found = hex::encode(hasher.finalize());
        if found == self.md5 {
            return Ok(());
        }
        Err(DownloadError::Checksum { path: path.to_owned(), expected: self.md5.to_owned(), found })
    }
}
