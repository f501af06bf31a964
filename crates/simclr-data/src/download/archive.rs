//! An archive on a server, and how its files come into a folder.

use std::path::Path;

use md5::Md5;
use simclr_files::create_folders;

use super::{
    checksum::sum_of,
    client::Client,
    error::DownloadError,
    fetch::Fetch,
    progress::OnProgress,
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
        client: &Client,
        dir: &Path,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<(), DownloadError> {
        if self.members.iter().all(|member| dir.join(member.name).is_file()) {
            return Ok(());
        }
        create_folders(dir).map_err(|source| DownloadError::io(dir, source))?;
        let kept = dir.join(self.file_name);
        if kept.is_file() {
            self.verify(&kept, on_progress)?;
            return self.packed(&kept).unpack(dir, on_progress);
        }
        let part = dir.join(format!("{}.part", self.file_name));
        let fetch = Fetch { client, url: self.url, part: &part, most: self.most, length: None };
        fetch.run(on_progress)?;
        if let Err(error) = self.verify(&part, on_progress) {
            if matches!(error, DownloadError::Checksum { .. }) {
                // Otherwise the next try would append to a wrong beginning.
                fetch.remove()?;
            }
            return Err(error);
        }
        self.packed(&part).unpack(dir, on_progress)?;
        fetch.remove()
    }

    fn packed<'a>(&'a self, path: &'a Path) -> Packed<'a> {
        Packed { path, data_set: self.data_set, members: self.members }
    }

    fn verify(&self, path: &Path, on_progress: &mut OnProgress<'_>) -> Result<(), DownloadError> {
        let found = sum_of::<Md5>(path, on_progress)?;
        if found == self.md5 {
            return Ok(());
        }
        let expected = format!("MD5 {}", self.md5);
        Err(DownloadError::Checksum { path: path.to_owned(), expected, found })
    }
}
