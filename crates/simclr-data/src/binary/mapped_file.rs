//! A read-only file as bytes in memory.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use memmap2::Mmap;

use crate::DataError;

/// A file of fixed-size records, mapped into memory: the system reads a page when it is first touched.
#[derive(Debug)]
pub(crate) struct MappedFile {
    path: PathBuf,
    bytes: Mmap,
    record: usize,
}

impl MappedFile {
    /// Maps the file at `path`, whose length must be a positive multiple of `record` bytes.
    pub(crate) fn open(
        path: PathBuf,
        record: usize,
        expected: &'static str,
    ) -> Result<Self, DataError> {
        let failed = |source| DataError::from_io(&path, expected, source);
        let file = File::open(&path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(DataError::Missing { path, expected });
        }
        if metadata.len() == 0 {
            return Err(DataError::EmptyFile { path, expected });
        }
        let bytes = map(&file).map_err(failed)?;
        // The mapping's own length, not that of the metadata: the file may have changed in between.
        if !bytes.len().is_multiple_of(record) {
            return Err(DataError::RecordSize {
                path,
                record: record as u64,
                found: bytes.len() as u64,
            });
        }
        Ok(Self { path, bytes, record })
    }

    /// Number of records.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() / self.record
    }

    /// The record at `index`.
    pub(crate) fn record(&self, index: usize) -> Result<&[u8], DataError> {
        DataError::check_index(index, self.len())?;
        Ok(&self.bytes[index * self.record..][..self.record])
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Name of the record at `index`, such as `train_X.bin[17]`.
    pub(crate) fn name(&self, index: usize) -> String {
        let file = self.path.file_name().unwrap_or_default();
        format!("{}[{index}]", file.display())
    }
}

#[expect(unsafe_code, reason = "a mapping changes with its file, and no type can prevent that")]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the mapping is read-only, and bytes of any value are valid. Another process may still write to the file
    // or truncate it while it is mapped; `Stl10` and `Cifar10` document that this must not happen.
    unsafe { Mmap::map(file) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn open(content: &[u8]) -> Result<MappedFile, DataError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("records.bin");
        fs::write(&path, content).unwrap();
        MappedFile::open(path, 4, "records")
    }

    #[test]
    fn records_are_slices_of_the_file() {
        let file = open(b"abcdefgh").unwrap();
        assert_eq!((file.len(), file.record(1).unwrap()), (2, &b"efgh"[..]));
        assert_eq!(file.name(1), "records.bin[1]");
    }

    #[test]
    fn a_record_past_the_end_is_an_error() {
        let error = open(b"abcd").unwrap().record(1).unwrap_err();
        assert_eq!(error.to_string(), "expected an index below 1, found 1");
    }

    #[test]
    fn a_truncated_file_is_named_with_its_length() {
        let message = open(b"abcdefg").unwrap_err().to_string();
        assert!(
            message.contains("records.bin to be a multiple of 4 bytes, found 7 bytes"),
            "{message}"
        );
    }

    #[test]
    fn an_empty_file_is_an_error_of_its_own() {
        assert!(matches!(open(b""), Err(DataError::EmptyFile { .. })));
    }

    #[test]
    fn a_folder_in_place_of_the_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(MappedFile::open(dir.path().to_owned(), 4, "records").is_err());
    }
}
