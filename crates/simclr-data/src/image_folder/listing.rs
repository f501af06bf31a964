//! What lies directly in a folder.

use std::{
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
};

use crate::DataError;

/// File name extensions of images, in lower case.
pub(super) const EXTENSIONS: [&str; 10] =
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
        let failed = |source| DataError::from_io(dir, "a folder of images", source);
        let mut listing = Self { images: Vec::new(), folders: Vec::new(), others: Vec::new() };
        for entry in fs::read_dir(dir).map_err(failed)? {
            listing.add(&entry.map_err(failed)?).map_err(failed)?;
            if !go_on(&listing) {
                break;
            }
        }
        Ok(listing)
    }

    fn add(&mut self, entry: &DirEntry) -> io::Result<()> {
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b".") || SYSTEM_FOLDERS.iter().any(|of| name == *of)
        {
            return Ok(());
        }
        let path = entry.path();
        let mut kind = entry.file_type()?;
        if kind.is_symlink() {
            // A link to nowhere is ignored, like a file of another kind.
            let Ok(target) = fs::metadata(&path) else { return Ok(()) };
            kind = target.file_type();
        }
        if kind.is_dir() {
            self.folders.push(path);
        } else if kind.is_file() {
            if has_image_extension(&path) {
                self.images.push(path);
            } else {
                self.others.push(path);
            }
        }
        Ok(())
    }
}

fn has_image_extension(path: &Path) -> bool {
    path.extension()
        .is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
}
