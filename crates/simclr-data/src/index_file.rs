//! Tables that are kept in files, and checked before they are believed.
//!
//! A file is a header of 32 bytes and a table after it, all numbers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `simclr-i` |
//! | 8..16 | the kind of table |
//! | 16..20 | the version of that kind |
//! | 20..24 | CRC32C of bytes 0..20, of bytes 24..32 and of the table |
//! | 24..32 | length of the table in bytes |
//!
//! The checksum tells a damaged file. It doesn't tell a file that was made to harm, so whoever reads a table checks
//! its values too; no count in it is trusted with an allocation.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use simclr_files::replace_file;

const MAGIC: &[u8; 8] = b"simclr-i";
/// Bytes of the header.
const HEADER: usize = 32;

/// What kind of table a file holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IndexKind {
    pub(crate) name: &'static [u8; 8],
    /// Another version is another table.
    pub(crate) version: u32,
}

/// Why an index file is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexFault {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("expected an index of this kind, found another file")]
    Kind,
    #[error("expected an index of version {expected}, found version {found}")]
    Version { expected: u32, found: u32 },
    #[error("expected {expected} bytes, found {found}")]
    Length { expected: u64, found: u64 },
    #[error("the checksum is wrong")]
    Checksum,
    #[error("the table is damaged: {0}")]
    Table(&'static str),
    /// The table is whole, and of other data than there is now.
    #[error("{0}")]
    Outdated(String),
}

impl IndexFault {
    /// Whether there is no file, which is nothing to tell of.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl IndexKind {
    /// Header and table as one.
    pub(crate) fn encode(self, table: TableWriter) -> Vec<u8> {
        let mut bytes = table.0;
        let length = (bytes.len() - HEADER) as u64;
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(self.name);
        bytes[16..20].copy_from_slice(&self.version.to_le_bytes());
        bytes[24..32].copy_from_slice(&length.to_le_bytes());
        let checksum = checksum(&bytes);
        bytes[20..24].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// The table in `bytes`, which are a whole file.
    pub(crate) fn decode(self, bytes: &[u8]) -> Result<TableReader<'_>, IndexFault> {
        let u32_at = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| bytes[at + byte]));
        if bytes.len() < HEADER || bytes[..8] != *MAGIC || bytes[8..16] != *self.name {
            return Err(IndexFault::Kind);
        }
        let (version, expected) = (u32_at(16), self.version);
        if version != expected {
            return Err(IndexFault::Version { expected, found: version });
        }
        let length = u64::from(u32_at(24)) | u64::from(u32_at(28)) << 32;
        let found = bytes.len() as u64;
        if length != found - HEADER as u64 {
            return Err(IndexFault::Length {
                expected: length.saturating_add(HEADER as u64),
                found,
            });
        }
        if u32_at(20) != checksum(bytes) {
            return Err(IndexFault::Checksum);
        }
        Ok(TableReader { rest: &bytes[HEADER..] })
    }

    /// Writes a file as a whole or not at all.
    pub(crate) fn write(self, path: &Path, table: TableWriter) -> io::Result<()> {
        let bytes = self.encode(table);
        replace_file(path, |file| file.write_all(&bytes))
    }

    /// The content of a file, for [`decode`](Self::decode): no more of it is read than it is long now, and nothing if it
    /// doesn't begin as an index of this kind.
    pub(crate) fn read(self, path: &Path) -> Result<Vec<u8>, IndexFault> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(IndexFault::Kind);
        }
        let mut bytes = Vec::new();
        (&file).take(HEADER as u64).read_to_end(&mut bytes)?;
        if bytes.get(..8) != Some(MAGIC) || bytes.get(8..16) != Some(self.name) {
            return Err(IndexFault::Kind);
        }
        (&file).take(metadata.len()).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The checksum of a whole file, without the place where it lies.
fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..20]), &bytes[24..])
}

/// Writes a table, field by field.
pub(crate) struct TableWriter(Vec<u8>);

impl TableWriter {
    pub(crate) fn new() -> Self {
        Self(vec![0; HEADER])
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend(value.to_le_bytes());
    }

    /// Bytes, after their number.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.0.extend(bytes);
    }

    /// Numbers, after how many there are.
    pub(crate) fn u32s(&mut self, values: &[u32]) {
        self.u64(values.len() as u64);
        self.0.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    /// Numbers, after how many there are.
    pub(crate) fn u64s(&mut self, values: &[u64]) {
        self.u64(values.len() as u64);
        self.0.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    /// Texts, after how many there are.
    pub(crate) fn texts(&mut self, texts: &[String]) {
        self.u64(texts.len() as u64);
        for text in texts {
            self.bytes(text.as_bytes());
        }
    }
}

/// Reads a table back, in the order in which it was written.
pub(crate) struct TableReader<'a> {
    rest: &'a [u8],
}

/// What a field is that ends after the table.
const CUT_OFF: IndexFault = IndexFault::Table("a field goes beyond its end");

impl<'a> TableReader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], IndexFault> {
        let (field, rest) = self.rest.split_at_checked(length).ok_or(CUT_OFF)?;
        self.rest = rest;
        Ok(field)
    }

    fn u32(&mut self) -> Result<u32, IndexFault> {
        self.take(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, IndexFault> {
        let [low, high] = [self.u32()?, self.u32()?].map(u64::from);
        Ok(low | high << 32)
    }

    /// A number of values that are at least `size` bytes each: no more than there can be in what is left.
    fn count(&mut self, size: usize) -> Result<usize, IndexFault> {
        let count = usize::try_from(self.u64()?).map_err(|_| CUT_OFF)?;
        if count > self.rest.len() / size { Err(CUT_OFF) } else { Ok(count) }
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], IndexFault> {
        let length = self.count(1)?;
        self.take(length)
    }

    pub(crate) fn u32s(&mut self) -> Result<Vec<u32>, IndexFault> {
        let count = self.count(4)?;
        let (values, _) = self.take(4 * count)?.as_chunks();
        Ok(values.iter().copied().map(u32::from_le_bytes).collect())
    }

    pub(crate) fn u64s(&mut self) -> Result<Vec<u64>, IndexFault> {
        let count = self.count(8)?;
        let (values, _) = self.take(8 * count)?.as_chunks();
        Ok(values.iter().copied().map(u64::from_le_bytes).collect())
    }

    pub(crate) fn text(&mut self) -> Result<String, IndexFault> {
        let text = str::from_utf8(self.bytes()?);
        text.map(str::to_owned).map_err(|_| IndexFault::Table("a text is not UTF-8"))
    }

    pub(crate) fn texts(&mut self) -> Result<Vec<String>, IndexFault> {
        // Each has its length before it.
        let count = self.count(8)?;
        (0..count).map(|_| self.text()).collect()
    }

    /// Refuses a table that has more than was read.
    pub(crate) fn end(self) -> Result<(), IndexFault> {
        if self.rest.is_empty() { Ok(()) } else { Err(IndexFault::Table("more follows its end")) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const KIND: IndexKind = IndexKind { name: b"for-test", version: 3 };

    fn table() -> TableWriter {
        let mut table = TableWriter::new();
        table.u64(u64::MAX - 1);
        table.bytes(b"abc");
        table.u32s(&[1, u32::MAX]);
        table.u64s(&[1 << 40]);
        table.texts(&["caf\u{e9}".to_owned(), String::new()]);
        table
    }

    #[test]
    fn a_table_comes_back_from_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.index");
        assert!(KIND.read(&path).unwrap_err().is_missing());
        KIND.write(&path, table()).unwrap();
        let bytes = KIND.read(&path).unwrap();
        let mut table = KIND.decode(&bytes).unwrap();
        assert_eq!(table.u64().unwrap(), u64::MAX - 1);
        assert_eq!(table.bytes().unwrap(), b"abc");
        assert_eq!(table.u32s().unwrap(), [1, u32::MAX]);
        assert_eq!(table.u64s().unwrap(), [1 << 40]);
        assert_eq!(table.texts().unwrap(), ["caf\u{e9}", ""]);
        table.end().unwrap();
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let bytes = KIND.encode(table());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            assert!(KIND.decode(&changed).is_err(), "byte {at}");
            assert!(KIND.decode(&bytes[..at]).is_err(), "cut off at {at}");
        }
        let longer = [&bytes[..], b"!"].concat();
        assert!(matches!(KIND.decode(&longer), Err(IndexFault::Length { .. })));
    }

    #[test]
    fn a_count_beyond_the_table_allocates_nothing() {
        let mut hostile = TableWriter::new();
        hostile.u64(u64::MAX / 4);
        let bytes = KIND.encode(hostile);
        let table = || KIND.decode(&bytes).unwrap();
        assert!(table().bytes().is_err());
        assert!(table().u32s().is_err());
        assert!(table().u64s().is_err());
        assert!(table().texts().is_err());
    }

    #[test]
    fn other_files_and_versions_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(KIND.read(dir.path()), Err(IndexFault::Kind | IndexFault::Io(_))));
        let path = dir.path().join("a.index");
        fs::write(&path, vec![b'x'; 1 << 16]).unwrap();
        assert!(matches!(KIND.read(&path), Err(IndexFault::Kind)));
        let other = IndexKind { name: b"for-text", version: 3 };
        assert!(matches!(other.decode(&KIND.encode(table())), Err(IndexFault::Kind)));
        let newer = IndexKind { version: 4, ..KIND };
        let fault = newer.decode(&KIND.encode(table())).err().unwrap().to_string();
        assert_eq!(fault, "expected an index of version 4, found version 3");
    }

    #[test]
    fn a_table_that_is_read_in_part_is_refused() {
        let bytes = KIND.encode(table());
        assert!(KIND.decode(&bytes).unwrap().end().is_err());
    }
}
