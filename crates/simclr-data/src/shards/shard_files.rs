//! Which files are the shards of a data set.

use std::{
    ffi::OsStr,
    fs::File,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::{
    pattern::expand,
    positioned::read_exact_at,
    tar_header::{BLOCK, is_header},
};
use crate::{
    DataError,
    image_folder::{Listing, class_name},
    splits::{Split, SplitName},
};

/// Extensions of whole archives that are compressed, which are found so that the error can say so.
const COMPRESSED: [&str; 7] = ["tgz", "tar.gz", "tar.zst", "tar.bz2", "tar.xz", "tar.lz4", "tar.z"];

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
                "a folder of images, a tar archive or a pattern of shards"
            } else {
                "a shard"
            };
            return Err(DataError::Missing { path: path.clone(), expected });
        }
    }
    Ok(Some(files.into_iter().map(ShardFile::of).collect()))
}

/// Whether `path` is a pattern, or a file that begins as an archive does.
pub(super) fn are_named_by(path: &Path) -> bool {
    match File::open(path) {
        Ok(file) => {
            let mut beginning = [0; BLOCK];
            // A pipe or a device is not asked.
            file.metadata().is_ok_and(|file| file.is_file())
                && read_exact_at(&file, &mut beginning, 0).is_ok()
                && is_header(&beginning)
        }
        Err(error) => error.kind() == ErrorKind::NotFound && path.to_str().is_some_and(is_pattern),
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['{', '}'])
}

/// The shards in a folder and in the folders directly inside; none if there are none. A folder that is called after a
/// split tells what its shards are for.
pub(crate) fn in_folder(listing: &Listing) -> Result<Vec<ShardFile>, DataError> {
    let mut files: Vec<ShardFile> =
        listing.other_paths().filter(|path| is_archive(path)).map(ShardFile::of).collect();
    for folder in &listing.folders {
        let split = SplitName::of(&class_name(folder)).map(|name| name.split);
        for path in Listing::of(folder)?.other_paths().filter(|path| is_archive(path)) {
            let of_file = ShardFile::of(path);
            files.push(ShardFile { split: split.or(of_file.split), ..of_file });
        }
    }
    Ok(files)
}

fn is_archive(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let ends =
        |extension: &str| name.strip_suffix(extension).is_some_and(|name| name.ends_with('.'));
    ends("tar") || COMPRESSED.iter().any(|extension| ends(extension))
}
