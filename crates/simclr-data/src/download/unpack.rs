//! Taking known files out of an archive, and nothing else.

use std::{
    io::{self, Read},
    path::{Component, Path},
};

use flate2::read::GzDecoder;
use simclr_files::UnfinishedFile;
use tar::{Entry, EntryType};

use super::{
    error::DownloadError,
    progress::{DownloadStage, OnProgress, Watched},
};

/// A file inside an archive.
pub(super) struct Member {
    pub(super) name: &'static str,
    /// Most bytes that the file can have.
    pub(super) most: u64,
}

/// An archive on disk.
pub(super) struct Packed<'a> {
    pub(super) path: &'a Path,
    /// Name of the data set.
    pub(super) data_set: &'static str,
    /// The files inside, all of which are required.
    pub(super) members: &'a [Member],
}

impl Packed<'_> {
    /// Writes the members into `dir`, without the folders around them.
    ///
    /// It writes nothing but regular files with the members' names, each once and within its size. Anything else in the
    /// archive, except folders, is an error.
    pub(super) fn unpack(
        &self,
        dir: &Path,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<(), DownloadError> {
        let unreadable = |source| self.unreadable(source);
        let watched = Watched::open(self.path, DownloadStage::Unpacking, on_progress)?;
        let mut archive = tar::Archive::new(GzDecoder::new(watched));
        let mut missing: Vec<&Member> = self.members.iter().collect();
        for entry in archive.entries().map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.header().entry_type();
            if matches!(kind, EntryType::Directory | EntryType::XGlobalHeader) {
                continue;
            }
            let inside = entry.path().map_err(unreadable)?.into_owned();
            let wanted = missing
                .iter()
                .position(|member| kind == EntryType::Regular && is_at(&inside, member.name));
            let Some(wanted) = wanted else {
                return Err(DownloadError::UnexpectedEntry {
                    path: self.path.to_owned(),
                    data_set: self.data_set,
                    entry: inside.display().to_string(),
                    kind: describe(kind),
                });
            };
            self.extract(entry, missing.swap_remove(wanted), dir)?;
        }
        match missing.first() {
            None => Ok(()),
            Some(member) => {
                let path = self.path.to_owned();
                Err(DownloadError::MissingEntry { path, entry: member.name })
            }
        }
    }

    /// Writes one file under a temporary name, and gives it its own name when it is whole.
    fn extract(
        &self,
        entry: Entry<'_, impl Read>,
        member: &Member,
        dir: &Path,
    ) -> Result<(), DownloadError> {
        let path = dir.join(member.name);
        let failed = |source| DownloadError::io(&path, source);
        let size = entry.size();
        // A fixed name, so that a process that is killed leaves one such file and the next one overwrites it: the
        // largest has 2.8 GB.
        let mut unfinished = UnfinishedFile::alone_beside(&path).map_err(failed)?;
        let mut content = entry.take(member.most + 1);
        let written = io::copy(&mut content, &mut unfinished).map_err(failed)?;
        if written > member.most {
            return Err(DownloadError::EntryTooLong {
                path: self.path.to_owned(),
                entry: member.name.to_owned(),
                most: member.most,
            });
        }
        if written < size {
            return Err(self.unreadable(io::ErrorKind::UnexpectedEof.into()));
        }
        unfinished.replace(&path).map_err(failed)
    }

    fn unreadable(&self, source: io::Error) -> DownloadError {
        DownloadError::Archive { path: self.path.to_owned(), source }
    }
}

/// Whether `inside` is a plain relative path that ends in `name`.
fn is_at(inside: &Path, name: &str) -> bool {
    inside.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
        && inside.file_name().is_some_and(|last| last == name)
}

fn describe(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Regular => "the file",
        EntryType::Symlink | EntryType::Link => "the link",
        _ => "the special file",
    }
}
