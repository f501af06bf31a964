//! Which files are the shards of a data set.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use super::{
    pattern::expand,
    positioned::read_up_to,
    tar_header::{BLOCK, is_header},
};
use crate::{
    DataError,
    image_folder::{Listing, class_name},
    splits::{Split, SplitName},
};

/// Extensions of whole archives that are compressed, which are found so that the error can say so.
const COMPRESSED: [&str; 7] = ["tgz", "tar.gz", "tar.zst", "tar.bz2", "tar.xz", "tar.lz4", "tar.z"];

/// How a Parquet file begins.
const PARQUET: &[u8] = b"PAR1";

/// What files of many images are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShardKind {
    Tar,
    Parquet,
}

impl ShardKind {
    /// What these files are, by the first of them.
    pub(crate) fn of(files: &[ShardFile]) -> Self {
        let is_parquet = |file: &ShardFile| {
            Self::by_name(&file.path) == Some(Self::Parquet)
                || beginning(&file.path).is_ok_and(|bytes| bytes.starts_with(PARQUET))
        };
        if files.first().is_some_and(is_parquet) { Self::Parquet } else { Self::Tar }
    }

    fn by_name(path: &Path) -> Option<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let ends =
            |extension: &str| name.strip_suffix(extension).is_some_and(|name| name.ends_with('.'));
        if ends("parquet") {
            return Some(Self::Parquet);
        }
        let is_tar = ends("tar") || COMPRESSED.iter().any(|extension| ends(extension));
        is_tar.then_some(Self::Tar)
    }
}

/// A shard, and what its name or its folder says that its images are for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShardFile {
    pub(crate) path: PathBuf,
    pub(crate) split: Option<Split>,
}

impl ShardFile {
    pub(crate) fn of(path: PathBuf) -> Self {
        let split = |name: Option<&OsStr>| {
            name.and_then(|name| SplitName::of(&name.to_string_lossy())).map(|name| name.split)
        };
        let of_file = split(path.file_stem());
        Self { path, split: of_file }
    }
}

/// The shards that `path` names itself, by being a file or a pattern; `None` if it is a folder.
///
/// # Errors
///
/// [`DataError::Missing`] if there is nothing, [`DataError::Pattern`].
pub(crate) fn named_by(path: &Path) -> Result<Option<Vec<ShardFile>>, DataError> {
    if path.is_dir() {
        return Ok(None);
    }
    let text = path.to_str().filter(|text| is_pattern(text));
    let files = match text {
        Some(pattern) if !path.exists() => {
            expand(pattern)?.into_iter().map(PathBuf::from).collect()
        }
        _ => vec![path.to_owned()],
    };
    for path in &files {
        if !path.exists() {
            let expected = if files.len() == 1 {
                "a folder of images, a tar archive, a Parquet file or a pattern of shards"
            } else {
                "a shard"
            };
            return Err(DataError::Missing { path: path.clone(), expected });
        }
    }
    Ok(Some(files.into_iter().map(ShardFile::of).collect()))
}

/// Whether `path` is a pattern, or a file that begins as an archive or a Parquet file does.
pub(super) fn are_named_by(path: &Path) -> bool {
    match beginning(path) {
        Ok(bytes) => is_header(&bytes) || bytes.starts_with(PARQUET),
        Err(error) => error.kind() == ErrorKind::NotFound && path.to_str().is_some_and(is_pattern),
    }
}

/// The first bytes of a file; none of what is no file, as a pipe or a device is not asked.
fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = vec![0; if file.metadata()?.is_file() { BLOCK } else { 0 }];
    let length = read_up_to(&file, &mut bytes, 0)?;
    bytes.truncate(length);
    Ok(bytes)
}

fn is_pattern(text: &str) -> bool {
    text.contains(['{', '}'])
}

/// The shards in a folder and in the folders directly inside, all tar archives or all Parquet files; none if there are none. A folder that
/// is called after a split tells what its shards are for.
pub(crate) fn in_folder(listing: &Listing) -> Result<Vec<ShardFile>, DataError> {
    let mut files: Vec<(ShardKind, ShardFile)> = Vec::new();
    let known = |path: PathBuf| Some((ShardKind::by_name(&path)?, ShardFile::of(path)));
    files.extend(listing.other_paths().filter_map(known));
    for folder in &listing.folders {
        let split = SplitName::of(&class_name(folder)).map(|name| name.split);
        for (kind, of_file) in Listing::of(folder)?.other_paths().filter_map(known) {
            files.push((kind, ShardFile { split: split.or(of_file.split), ..of_file }));
        }
    }
    let any_tar = files.iter().any(|(kind, _)| *kind == ShardKind::Tar);
    let chosen = if any_tar { ShardKind::Tar } else { ShardKind::Parquet };
    Ok(files.into_iter().filter(|(kind, _)| *kind == chosen).map(|(_, file)| file).collect())
}
