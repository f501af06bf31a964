//! How a data set is opened.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{Shards, decode::WHITE};

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
    /// A file that may tell where the images are. It is used as long as it is of these files, by their names, lengths and
    /// times of their last change. If it isn't, or is damaged, a warning says why, and [`Splits::index`](crate::Splits::index) has
    /// a new one. Nothing is written to it. None by default.
    pub index: Option<PathBuf>,
}

impl Default for Opening {
    fn default() -> Self {
        Self { ground: WHITE, index: None }
    }
}

/// Where the images of a data set are, to be kept in a file.
#[derive(Clone)]
pub struct DataIndex(pub(crate) Indexed);

/// What there are index files of.
#[derive(Clone)]
pub(crate) enum Indexed {
    Shards(Shards),
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
        }
    }
}

impl fmt::Debug for DataIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataIndex")
    }
}
