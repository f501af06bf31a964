//! How a data set is opened.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{Shards, decode::WHITE, image_folder::Folders};

/// How a data set is opened.
///
/// ```
/// use simclr_data::Opening;
///
/// let opening = Opening { ground: [0; 3], ..Opening::default() };
/// assert_eq!(opening.index, None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// What lies below transparent images: red, green and blue. White by default.
    pub ground: [u8; 3],
    /// A file that may tell where the images are. Of shards, it is used as long as it is of these files, by their names, lengths and
    /// times of their last change. Of folders, each that changed since by its time is listed anew; that time tells of files that come
    /// and go, not of what is in them. If the file is of other data, or is damaged, a warning says why, and
    /// [`Splits::index`](crate::Splits::index) has a new one. Nothing is written to it. None by default.
    pub index: Option<PathBuf>,
    /// Whether images are read in their order, as [`pack`](crate::pack) does, so that Parquet files without a page index will do. No by
    /// default.
    pub in_order: bool,
    /// Whom to tell how far the listing of folders is. Nobody by default.
    pub progress: Option<ListingProgress>,
}

/// Who is told, by any thread, how many files were found so far.
#[derive(Clone)]
pub struct ListingProgress(Arc<dyn Fn(usize) + Send + Sync>);

impl ListingProgress {
    /// Calls `tell` after each folder.
    pub fn new(tell: impl Fn(usize) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, files: usize) {
        (self.0)(files);
    }
}

impl PartialEq for ListingProgress {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for ListingProgress {}

impl fmt::Debug for ListingProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ListingProgress")
    }
}

impl Default for Opening {
    fn default() -> Self {
        Self { ground: WHITE, index: None, in_order: false, progress: None }
    }
}

/// Where the images of a data set are, to be kept in a file.
#[derive(Clone)]
pub struct DataIndex(pub(crate) Indexed);

/// What there are index files of.
#[derive(Clone)]
pub(crate) enum Indexed {
    Shards(Shards),
    Folders(Arc<Folders>),
}

impl DataIndex {
    /// Writes the file that [`Opening::index`] names the next time, as a whole or not at all.
    ///
    /// # Errors
    ///
    /// The system's, if the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> io::Result<()> {
        match &self.0 {
            Indexed::Shards(shards) => shards.write_index(path),
            Indexed::Folders(folders) => folders.write_index(path.as_ref()),
        }
    }
}

impl fmt::Debug for DataIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataIndex")
    }
}
