//! What can be wrong with a data set.

use std::{
    io,
    path::{Path, PathBuf},
};

use simclr_range::OutOfRange;

/// A data set that cannot be opened, or an image of it that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A required file or folder does not exist.
    #[error("expected {expected} at {}, found nothing", path.display())]
    Missing {
        /// Its path.
        path: PathBuf,
        /// What it should have been.
        expected: &'static str,
    },
    /// An empty file.
    #[error("expected {expected} in {}, found an empty file", path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
    },
    /// A binary file that is truncated or has another layout.
    #[error("expected the length of {} to be a multiple of {record} bytes, found {found} bytes", path.display())]
    RecordSize {
        /// The file.
        path: PathBuf,
        /// Bytes per image.
        record: u64,
        /// The file's length in bytes.
        found: u64,
    },
    /// A label file with more or fewer labels than there are images.
    #[error("expected {images} labels in {}, one per image, found {found}", path.display())]
    LabelCount {
        /// The label file.
        path: PathBuf,
        /// Number of images in the file beside it.
        images: usize,
        /// Number of labels.
        found: u64,
    },
    /// A label of no class.
    #[error("expected a label in {first}..={last} at position {position} of {}, found {found}", path.display())]
    LabelOutOfRange {
        /// The file.
        path: PathBuf,
        /// Index of the image, from 0.
        position: usize,
        /// Smallest legal value.
        first: u8,
        /// Largest legal value.
        last: u8,
        /// The value found.
        found: u8,
    },
    /// Too few or too many class names.
    #[error("expected {expected} class names in {}, found {found}", path.display())]
    ClassCount {
        /// The file.
        path: PathBuf,
        /// Number of classes of the data set.
        expected: usize,
        /// Number of names in the file.
        found: usize,
    },
    /// Too few or too many folds.
    #[error("expected {expected} lines in {}, one per fold, found {found}", path.display())]
    FoldCount {
        /// The file.
        path: PathBuf,
        /// Number of folds of the data set.
        expected: usize,
        /// Number of lines that are not blank.
        found: usize,
    },
    /// A fold with something other than the index of an image.
    #[error("expected indices below {images} on line {line} of {}, found `{found}`", path.display())]
    FoldIndex {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// Number of images of the split.
        images: usize,
        /// The text found.
        found: String,
    },
    /// A folder without images.
    #[error("expected images ({extensions}) in {}, found none", path.display())]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// The file name extensions of images.
        extensions: String,
    },
    /// An archive that is compressed as a whole, so that no image in it can be read alone.
    #[error(
        "expected a tar archive in {}, found one in {found}, of which no image can be read alone; decompress it with `{tool}` first",
        path.display()
    )]
    Compressed {
        /// The file.
        path: PathBuf,
        /// The name of the compression.
        found: &'static str,
        /// The command that decompresses it.
        tool: &'static str,
    },
    /// An archive without images, in which other archives lie.
    #[error(
        "expected images in {}, found archives such as `{member}`; unpack it with `tar -xf` and pass the folder of those archives",
        path.display()
    )]
    NestedArchive {
        /// The file.
        path: PathBuf,
        /// The first archive inside.
        member: String,
    },
    /// A file that is no tar archive, or is damaged within.
    #[error("expected a tar archive in {}, found it damaged at byte {at}, after {images} images: {reason}", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// Where the damage is.
        at: u64,
        /// How many images come before.
        images: usize,
        /// What is wrong.
        reason: String,
    },
    /// A Parquet file that is damaged, or has no column of images.
    #[error("expected a Parquet file with images in {}, found {found}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        found: String,
    },
    /// A Parquet file without a page index, of which no image can be read alone.
    #[error(
        "expected a page index in {0}, found none, so that no image in it can be read alone; convert it once with `simclr data pack --data {0} --out FILE.tar`",
        path.display()
    )]
    NoPageIndex {
        /// The file.
        path: PathBuf,
    },
    /// A Parquet file, and a build that reads none.
    #[error("expected a build with the feature `parquet` to read {}, found one without", path.display())]
    NoParquet {
        /// The file.
        path: PathBuf,
    },
    /// A file of many images that has changed since it was opened.
    #[error("expected {} as it was when the data was opened, found that {change}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// What is different.
        change: String,
    },
    /// A pattern for the names of shards that means nothing.
    #[error("expected a pattern such as `train-{{000..146}}.tar`, found `{pattern}`: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An image file that cannot be decoded, or is too large to decode safely.
    #[error("expected an image in {}, found one that cannot be decoded", path.display())]
    Decode {
        /// The image file.
        path: PathBuf,
        /// The decoder's reason.
        source: image::ImageError,
    },
    /// An image file that cannot be read: the system reports an error, denies permission, or finds the file no more.
    #[error("cannot read the image {}", path.display())]
    Unreadable {
        /// The image file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A folder or a file of many images that cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// An index past the end.
    #[error("expected an index below {len}, found {index}")]
    IndexOutOfRange {
        /// The index that was given.
        index: usize,
        /// Number of images.
        len: usize,
    },
    /// A setting, such as a field of [`SampleConfig`](crate::SampleConfig), out of its range.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

impl DataError {
    /// Whether the fault lies with one image alone. A run may then leave the image out, say so, and continue.
    ///
    /// True for [`Decode`](Self::Decode) and [`Unreadable`](Self::Unreadable), which name the file.
    #[must_use]
    pub fn is_one_image(&self) -> bool {
        matches!(self, Self::Decode { .. } | Self::Unreadable { .. })
    }

    /// The error for a file that cannot be opened: [`Missing`](Self::Missing) if it is not there.
    pub(crate) fn from_io(path: &Path, expected: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path: path.to_owned(), expected },
            _ => Self::Io { path: path.to_owned(), source },
        }
    }

    /// Refuses an index that a set of `len` images doesn't have.
    ///
    /// # Errors
    ///
    /// [`IndexOutOfRange`](Self::IndexOutOfRange).
    pub fn check_index(index: usize, len: usize) -> Result<(), Self> {
        if index < len { Ok(()) } else { Err(Self::IndexOutOfRange { index, len }) }
    }
}
