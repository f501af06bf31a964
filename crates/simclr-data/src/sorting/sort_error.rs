//! What can be wrong with a table of labels, or with sorting by one.

use std::io;
use std::path::{Path, PathBuf};

use crate::printable;

/// A table of labels that says no clear thing, or files that cannot be sorted by it. Up to [`Write`](Self::Write), nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SortError {
    /// The table has other columns.
    #[error(
        "expected a header with `name` or `image`, and `class` or `label`, in {}, found {}",
        path.display(), printable(found)
    )]
    Columns {
        /// The table.
        path: PathBuf,
        /// Its header.
        found: String,
    },
    /// The file is no table of comma-separated values.
    #[error("expected comma-separated values in {}, found {}", path.display(), printable(found))]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        found: String,
    },
    /// The file is too large to be a table of labels.
    #[error("expected at most {most} bytes in {}, found {found}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        most: u64,
        /// The file's length.
        found: u64,
    },
    /// The table has no line below its header.
    #[error("expected a label in {}, found none", path.display())]
    NoLabels {
        /// The table.
        path: PathBuf,
    },
    /// Two lines give one image two classes.
    #[error(
        "expected one class for {}, found {} in line {first_line} and {} in line {line}",
        printable(name),
        printable(first),
        printable(class)
    )]
    TwoClasses {
        /// The image.
        name: String,
        /// Its class in the first of the lines.
        first: String,
        /// The first of the lines.
        first_line: u64,
        /// Its class in the other line.
        class: String,
        /// The other line.
        line: u64,
    },
    /// A class whose name is none for a folder.
    #[error(
        "expected a class that can be the name of a folder in line {line}, found {}: {reason}",
        quoted(class)
    )]
    Class {
        /// The line, from 1.
        line: u64,
        /// The class.
        class: String,
        /// Why it cannot be one.
        reason: &'static str,
    },
    /// Two classes whose folders would be one on some systems.
    #[error(
        "expected classes that differ in more than upper and lower case, found {} and {}",
        printable(first),
        printable(second)
    )]
    AlikeClasses {
        /// A class.
        first: String,
        /// Another one.
        second: String,
    },
    /// A name that leads out of the folder of the images.
    #[error("expected the name of a file below {} in line {line}, found {}", data.display(), printable(name))]
    Outside {
        /// The line, from 1.
        line: u64,
        /// The name.
        name: String,
        /// The folder.
        data: PathBuf,
    },
    /// Files that are neither in the folder of the images nor sorted already.
    #[error("expected every file of the table below {}, found {count} missing, the first {} in line {line}", data.display(), printable(name))]
    Missing {
        /// How many they are.
        count: usize,
        /// The folder of the images.
        data: PathBuf,
        /// The line of the first one, from 1.
        line: u64,
        /// Its name.
        name: String,
    },
    /// Something that is no file is in the place of an image.
    #[error("expected a file at {}, found something else", path.display())]
    NotAFile {
        /// Its path.
        path: PathBuf,
    },
    /// Something that is no folder is in the place of one.
    #[error("expected a folder, or nothing yet, at {}, found something else", path.display())]
    NotAFolder {
        /// Its path.
        path: PathBuf,
    },
    /// Another file is in the place of a sorted one. It is not overwritten.
    #[error("expected nothing, or a file of the same content, at {}, found another", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Another process sorts into this folder.
    #[error("expected no other process that sorts into {}, found one", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Its path.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file or folder cannot be written. What was sorted before stays; the same plan, made again, goes on.
    #[error("cannot write {}", path.display())]
    Write {
        /// Its path.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl SortError {
    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Write { path, source }
    }
}

/// A name that may be empty or end in spaces.
fn quoted(name: &str) -> String {
    format!("\"{}\"", printable(name))
}
