//! Taking known files out of an archive, and nothing else.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Component, Path},
};

use flate2::read::GzDecoder;
use tar::{Entry, EntryType};

use super::{
    DownloadError, DownloadStage, OnProgress,
    archive::{Member, Watched, io_error},
};

/// Writes the `members` of the archive at `path` into `dir`, without the folders they lie in.
///
/// Only regular files with the members' names are written, each once and not beyond its size; anything but those and
/// folders is an error.
pub(super) fn unpack(
    path: &Path,
    dir: &Path,
    members: &[Member],
    on_progress: &mut OnProgress<'_>,
) -> Result<(), DownloadError> {
    let unreadable = |source| DownloadError::Archive { path: path.to_owned(), source };
    let watched = Watched::open(path, DownloadStage::Unpacking, on_progress)?;
    let mut archive = tar::Archive::new(GzDecoder::new(watched));
    let mut missing: Vec<&Member> = members.iter().collect();
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
            let kind = describe(kind);
            return Err(DownloadError::UnexpectedEntry {
                path: path.into(),
                entry: inside.display().to_string(),
                kind,
            });
        };
        extract(path, entry, missing.swap_remove(wanted), dir)?;
    }
    match missing.first() {
        None => Ok(()),
        Some(member) => {
            Err(DownloadError::MissingEntry { path: path.to_owned(), entry: member.name })
        }
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

/// Writes one file under a temporary name and gives it its own when it is whole.
fn extract(
    path: &Path,
    entry: Entry<'_, impl Read>,
    member: &Member,
    dir: &Path,
) -> Result<(), DownloadError> {
    let temporary = dir.join(format!("{}.part", member.name));
    let failed = |source| io_error(&temporary, source);
    let size = entry.size();
    let mut file = File::create(&temporary).map_err(failed)?;
    let written = io::copy(&mut entry.take(member.most + 1), &mut file).map_err(failed)?;
    drop(file);
    if written > member.most || written < size {
        fs::remove_file(&temporary).map_err(failed)?;
    }
    if written > member.most {
        return Err(DownloadError::EntryTooLong {
            path: path.to_owned(),
            entry: member.name.to_owned(),
            most: member.most,
        });
    }
    if written < size {
        let source = io::ErrorKind::UnexpectedEof.into();
        return Err(DownloadError::Archive { path: path.to_owned(), source });
    }
    fs::rename(&temporary, dir.join(member.name)).map_err(failed)
}
