//! What lies directly in a folder.

use std::{
    ffi::OsString,
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
};

use super::{names::Names, sizes::Sizes};
use crate::{DataError, patience::patiently};

/// File name extensions of images, in lower case.
pub(crate) const EXTENSIONS: [&str; 10] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "gif", "tif", "tiff"];

/// Folders beside the data that macOS, Synology's and Windows' file managers make, with thumbnails or what was deleted.
const SYSTEM_FOLDERS: [&str; 4] =
    ["__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"];

/// The images, the sub-folders and the other files directly in a folder, sorted by name.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) dir: PathBuf,
    pub(crate) images: Names,
    pub(crate) folders: Vec<PathBuf>,
    /// Those of the folders that are links.
    pub(super) links: Vec<PathBuf>,
    pub(crate) others: Names,
    /// The lengths of the images.
    pub(super) sizes: Sizes,
}

/// The names in a folder, as the system gives them.
#[derive(Default)]
struct Found {
    images: Vec<OsString>,
    folders: Vec<PathBuf>,
    links: Vec<PathBuf>,
    others: Vec<OsString>,
}

impl Listing {
    pub(crate) fn of(dir: &Path) -> Result<Self, DataError> {
        let read = || -> io::Result<Found> {
            let mut found = Found::default();
            fs::read_dir(dir)?.try_for_each(|entry| entry.map(|entry| found.add(&entry)))?;
            Ok(found)
        };
        let found = patiently(read)
            .map_err(|source| DataError::from_io(dir, "a folder of images", source))?;
        let Found { images, mut folders, links, others } = found;
        folders.sort();
        let (images, others) = (Names::of(images), Names::of(others));
        let sizes = Sizes::default();
        Ok(Self { dir: dir.to_owned(), images, folders, links, others, sizes })
    }

    /// The path of an image.
    pub(super) fn image_path(&self, index: usize) -> PathBuf {
        self.dir.join(self.images.name(index))
    }

    /// The paths of the files that are no images by their names.
    pub(crate) fn other_paths(&self) -> impl Iterator<Item = PathBuf> {
        self.others.paths(&self.dir)
    }
}

impl Found {
    fn add(&mut self, entry: &DirEntry) {
        let name = entry.file_name();
        if is_no_data(name.as_encoded_bytes()) {
            return;
        }
        let kind = entry.file_type();
        let is_link = kind.as_ref().is_ok_and(fs::FileType::is_symlink);
        let kind = if is_link { fs::metadata(entry.path()).map(|it| it.file_type()) } else { kind };
        match kind {
            Ok(kind) if kind.is_dir() => {
                if is_link {
                    self.links.push(entry.path());
                }
                self.folders.push(entry.path());
            }
            // A pipe or a device.
            Ok(kind) if !kind.is_file() => {}
            // A file, or a link to nowhere: as an image, it is one that cannot be read.
            _ if has_image_extension(Path::new(&name)) => self.images.push(name),
            _ => self.others.push(name),
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
