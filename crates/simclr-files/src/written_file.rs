//! A file that is written to.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::operation::{Operation, perform};

/// A file that is written to, at most until it is dropped.
///
/// ```
/// use std::io::Write;
///
/// use simclr_files::{WrittenFile, rename};
///
/// # let folder = tempfile::tempdir()?;
/// let part = folder.path().join("vectors.part");
/// let mut file = WrittenFile::create(&part)?;
/// file.write_all(b"1 2 3\n")?;
/// file.sync_all()?;
/// rename(&part, folder.path().join("vectors"))?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct WrittenFile {
    file: File,
    path: PathBuf,
}

impl WrittenFile {
    /// An empty file, in the place of one that may be there.
    ///
    /// # Errors
    ///
    /// Those of [`File::create`].
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::open(path, File::options().write(true).create(true).truncate(true))
    }

    /// An empty file where there is none.
    ///
    /// # Errors
    ///
    /// Those of [`File::create_new`].
    pub fn create_new(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::open(path, File::options().write(true).create_new(true))
    }

    /// A file as `options` open it.
    ///
    /// # Errors
    ///
    /// Those of [`OpenOptions::open`].
    pub fn open(path: impl AsRef<Path>, options: &OpenOptions) -> io::Result<Self> {
        let path = path.as_ref();
        let file = perform(Operation::Open, path, None, || options.open(path))?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Waits until the file is on the disk. That its name is takes [`sync_folder`](crate::sync_folder).
    ///
    /// # Errors
    ///
    /// Those of [`File::sync_all`]: that a disk is full may be known only now.
    pub fn sync_all(&self) -> io::Result<()> {
        perform(Operation::Sync, &self.path, None, || self.file.sync_all())
    }

    /// Makes the file so many bytes long.
    ///
    /// # Errors
    ///
    /// Those of [`File::set_len`].
    pub fn set_len(&self, length: u64) -> io::Result<()> {
        perform(Operation::Resize, &self.path, None, || self.file.set_len(length))
    }

    /// Writes what is left of another file, and returns how many bytes that is. Where the system can, it copies them itself.
    ///
    /// # Errors
    ///
    /// Those of [`io::copy`].
    pub fn copy_from(&mut self, mut from: &File) -> io::Result<u64> {
        #[cfg(feature = "faults")]
        if crate::faults::is_watched(&self.path) {
            return io::copy(&mut from, self);
        }
        io::copy(&mut from, &mut self.file)
    }

    /// The file itself, to lock it, to read it, and to ask what it is.
    #[must_use]
    pub fn as_file(&self) -> &File {
        &self.file
    }
}

impl Write for WrittenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(feature = "faults")]
        match crate::faults::next_write(&self.path, bytes.len()) {
            crate::faults::Part::All => {}
            crate::faults::Part::First(count) => return self.file.write(&bytes[..count]),
            crate::faults::Part::Fails(count, error) => {
                self.file.write_all(&bytes[..count])?;
                return Err(error);
            }
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for WrittenFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
