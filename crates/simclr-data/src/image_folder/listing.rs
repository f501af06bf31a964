//! What lies directly in a folder.

use std::{
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
};

use crate::{DataError, patience::patiently};

/// File name extensions of images, in lower case.
pub(crate) const EXTENSIONS: [&str; 10] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "gif", "tif", "tiff"];

/// Folders beside the data that macOS, Synology's and Windows' file managers make, with thumbnails or what was deleted.
const SYSTEM_FOLDERS: [&str; 4] =
    ["__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"];

/// The images, the sub-folders and the other files directly in a folder, sorted by name.
pub(crate) struct Listing {
    pub(crate) images: Vec<PathBuf>,
    pub(crate) folders: Vec<PathBuf>,
    pub(crate) others: Vec<PathBuf>,
}

impl Listing {
    pub(crate) fn of(dir: &Path) -> Result<Self, DataError> {
        let mut listing = Self::read(dir, |_| true)?;
        listing.images.sort();
        listing.folders.sort();
        listing.others.sort();
        Ok(listing)
    }

    /// What lies in the folder up to its first image, as the system gives it: whether there is one is known at once.
    pub(super) fn up_to_an_image(dir: &Path) -> Result<Self, DataError> {
        Self::read(dir, |listing| listing.images.is_empty())
    }

    fn read(dir: &Path, go_on: impl Fn(&Self) -> bool) -> Result<Self, DataError> {
        let read = || -> io::Result<Self> {
            let mut listing = Self { images: Vec::new(), folders: Vec::new(), others: Vec::new() };
            for entry in fs::read_dir(dir)? {
                listing.add(&entry?);
                if !go_on(&listing) {
                    break;
                }
            }
            Ok(listing)
        };
        patiently(read).map_err(|source| DataError::from_io(dir, "a folder of images", source))
    }

    fn add(&mut self, entry: &DirEntry) {
        let name = entry.file_name();
        if is_no_data(name.as_encoded_bytes()) {
            return;
        }
        let path = entry.path();
        let kind = entry.file_type().and_then(|kind| {
            if kind.is_symlink() { Ok(fs::metadata(&path)?.file_type()) } else { Ok(kind) }
        });
        match kind {
            Ok(kind) if kind.is_dir() => self.folders.push(path),
            // A pipe or a device.
            Ok(kind) if !kind.is_file() => {}
            // A file, or a link to nowhere: as an image, it is one that cannot be read.
            _ if has_image_extension(&path) => self.images.push(path),
            _ => self.others.push(path),
        }
    }
}

/// Whether a file or a folder of this name is hidden, or made by a system.
pub(crate) fn is_no_data(name: &[u8]) -> bool {
    name.starts_with(b".") || SYSTEM_FOLDERS.iter().any(|of| name == of.as_bytes())
}

fn has_image_extension(path: &Path) -> bool {
    path.extension()
        .is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
}
