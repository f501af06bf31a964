//! The index file of folders.

use std::{
    collections::HashMap,
    io,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{folders::Listed, listing::Listing, names::Names, sizes::Sizes};
use crate::{
    escape_name,
    escaped_name::unescape_name,
    index_file::{IndexFault, IndexKind, TableWriter},
};

const KIND: IndexKind = IndexKind { name: b"folders ", version: 2 };

/// Writes what lies in the folders of `root` that haven't changed lately.
pub(super) fn write(path: &Path, root: &Path, listed: &HashMap<PathBuf, Listed>) -> io::Result<()> {
    let mut folders: Vec<_> =
        listed.values().filter_map(|it| Some((it.changed?, &it.listing))).collect();
    folders.sort_by(|(_, a), (_, b)| a.dir.cmp(&b.dir));
    let mut table = TableWriter::new();
    table.u64(folders.len() as u64);
    for (changed, listing) in folders {
        let Ok(since) = changed.duration_since(UNIX_EPOCH) else { continue };
        let below = listing.dir.strip_prefix(root).unwrap_or(&listing.dir);
        table.bytes(escape_name(below).as_bytes());
        table.u64(since.as_secs());
        table.u64(since.subsec_nanos().into());
        let names = |paths: &[PathBuf]| {
            Names::of(paths.iter().filter_map(|path| path.file_name()).map(Into::into).collect())
        };
        listing.images.write(&mut table);
        names(&listing.folders).write(&mut table);
        names(&listing.links).write(&mut table);
        listing.others.write(&mut table);
        listing.sizes.write(&mut table);
    }
    KIND.write(path, table)
}

/// What an index file tells of the folders of `root`.
pub(super) fn read(path: &Path, root: &Path) -> Result<HashMap<PathBuf, Listed>, IndexFault> {
    let bytes = KIND.read(path)?;
    let mut table = KIND.decode(&bytes)?;
    let mut listed = HashMap::new();
    for _ in 0..table.u64()? {
        let below = below(&table.text()?).ok_or(IndexFault::Table("a folder lies elsewhere"))?;
        let (seconds, nanoseconds) = (table.u64()?, table.u64()?);
        let nanoseconds = u32::try_from(nanoseconds).ok().filter(|it| *it < 1_000_000_000);
        let since = nanoseconds.map(|nanoseconds| Duration::new(seconds, nanoseconds));
        let changed = since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        let changed = Some(changed.ok_or(IndexFault::Table("a time is none"))?);
        let dir = if below.as_os_str().is_empty() { root.to_owned() } else { root.join(below) };
        let images = Names::read(&mut table)?;
        let folders = Names::read(&mut table)?.paths(&dir).collect();
        let links = Names::read(&mut table)?.paths(&dir).collect();
        let others = Names::read(&mut table)?;
        let sizes = Sizes::read(&mut table, images.len())?;
        let listing = Arc::new(Listing { dir: dir.clone(), images, folders, links, others, sizes });
        listed.insert(dir, Listed { changed, listing });
    }
    table.end()?;
    Ok(listed)
}

/// The path of a folder inside another, from its text; `None` if it may lead elsewhere.
fn below(text: &str) -> Option<PathBuf> {
    let path = unescape_name(text)?;
    path.components().all(|part| matches!(part, Component::Normal(_))).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An index with the right checksum, of one folder with one image.
    fn index(folder: &str, text: &str, ends: &[u64], nanoseconds: u64) -> tempfile::NamedTempFile {
        let mut table = TableWriter::new();
        table.u64(1);
        table.bytes(folder.as_bytes());
        table.u64(1_700_000_000);
        table.u64(nanoseconds);
        table.bytes(text.as_bytes());
        table.u64s(ends);
        for _ in 0..3 {
            Names::default().write(&mut table);
        }
        table.u64s(&[]);
        let file = tempfile::NamedTempFile::new().unwrap();
        KIND.write(file.path(), table).unwrap();
        file
    }

    #[test]
    fn a_hostile_index_leads_to_no_file_elsewhere() {
        let read = |file: &tempfile::NamedTempFile| read(file.path(), Path::new("root"));
        let listed = read(&index("a/b", "1.png", &[5], 7)).unwrap();
        let listing = &listed[Path::new("root/a/b")].listing;
        let paths: Vec<_> = listing.images.paths(&listing.dir).collect();
        assert_eq!(paths, [Path::new("root/a/b/1.png")]);
        for folder in ["..", "a/../..", "/etc", r"a\q"] {
            assert!(read(&index(folder, "1.png", &[5], 7)).is_err(), "{folder}");
        }
        for name in ["..", "../1.png", "/1.png", "a/1.png", r"\q.png", ""] {
            assert!(read(&index("a", name, &[name.len() as u64], 7)).is_err(), "{name}");
        }
        for ends in [&[4][..], &[6], &[u64::MAX], &[3, 2, 5]] {
            assert!(read(&index("a", "1.png", ends, 7)).is_err(), "{ends:?}");
        }
        assert!(read(&index("a", "1.png", &[5], 1_000_000_000)).is_err());
    }
}
