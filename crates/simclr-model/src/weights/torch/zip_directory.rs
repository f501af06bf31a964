//! The list of files in a ZIP archive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use crate::weights::error::WeightFault;

/// The longest list of files that is read: a network of 10,000 tensors needs about one MiB.
const MOST_DIRECTORY_BYTES: u64 = 16 << 20;
/// Bytes of the record at the end of an archive, without its comment.
const END_BYTES: usize = 22;
/// The longest comment that the format allows.
const MOST_COMMENT_BYTES: u64 = 0xFFFF;
const END_SIGNATURE: u32 = 0x0605_4B50;
const END_64_SIGNATURE: u32 = 0x0606_4B50;
const LOCATOR_64_SIGNATURE: u32 = 0x0706_4B50;
const LOCATOR_64_BYTES: usize = 20;
const ENTRY_SIGNATURE: u32 = 0x0201_4B50;
const ENTRY_BYTES: usize = 46;
const LOCAL_SIGNATURE: u32 = 0x0403_4B50;
const LOCAL_BYTES: usize = 30;
/// A 32-bit field whose value lies in the extra data, in 64 bits.
const ELSEWHERE: u64 = 0xFFFF_FFFF;
/// The extra data that holds such values.
const EXTRA_64: u16 = 1;
/// The flag of an encrypted file.
const ENCRYPTED: u16 = 1;

/// The files of a ZIP archive (APPNOTE 6.3.10, sections 4.3.7 to 4.3.16). `torch.save` stores them uncompressed, so that
/// tensors can be read where they lie.
///
/// Nothing is unpacked: files may overlap, and no size is believed that reaches beyond the archive. docs/adr/0010 says
/// why this is not the `zip` crate.
pub(super) struct ZipDirectory {
    entries: BTreeMap<String, Entry>,
    /// Bytes of the archive.
    length: u64,
}

struct Entry {
    /// Where the local header lies.
    header: u64,
    /// Bytes of the content.
    size: u64,
    /// Whether the content lies in the archive as it is, neither compressed nor encrypted.
    plain: bool,
}

impl ZipDirectory {
    /// Reads the list at the end of `file`, which has `length` bytes.
    pub(super) fn read(file: &mut File, length: u64) -> Result<Self, WeightFault> {
        let (start, size) = directory(file, length)?;
        if size > MOST_DIRECTORY_BYTES || start.checked_add(size).is_none_or(|end| end > length) {
            let most = MOST_DIRECTORY_BYTES.min(length);
            let expected = format!("a list of files of at most {most} bytes inside the archive");
            let found = format!("one of {size} bytes at {start}");
            return Err(WeightFault::malformed(expected, found));
        }
        let mut bytes = vec![0; size as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        let mut rest = &bytes[..];
        let mut entries = BTreeMap::new();
        while !rest.is_empty() {
            let (name, entry) = entry(&mut rest).ok_or_else(|| {
                WeightFault::malformed("an entry in the list of files", "something else")
            })?;
            entries.insert(name, entry);
        }
        Ok(Self { entries, length })
    }

    /// The names of the files, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Where the content of a file lies in the archive.
    pub(super) fn content(&self, name: &str, file: &mut File) -> Result<Range<u64>, WeightFault> {
        let Some(entry) = self.entries.get(name) else {
            return Err(WeightFault::malformed(format!("a file {name} in the archive"), "none"));
        };
        if !entry.plain {
            let expected = format!("{name} stored as it is");
            return Err(WeightFault::malformed(expected, "it compressed or encrypted"));
        }
        let mut header = [0; LOCAL_BYTES];
        let cut_off = || {
            WeightFault::malformed(
                format!("{name} inside the archive"),
                "an archive that is cut off",
            )
        };
        if entry.header.checked_add(LOCAL_BYTES as u64).is_none_or(|end| end > self.length) {
            return Err(cut_off());
        }
        file.seek(SeekFrom::Start(entry.header))?;
        file.read_exact(&mut header)?;
        if u32_at(&header, 0) != Some(LOCAL_SIGNATURE) {
            return Err(WeightFault::malformed(format!("a header of {name}"), "something else"));
        }
        let skipped = [26, 28].map(|at| u64::from(u16_at(&header, at).unwrap_or_default()));
        let start = entry.header + LOCAL_BYTES as u64 + skipped[0] + skipped[1];
        let end = start.checked_add(entry.size).filter(|&end| end <= self.length);
        Ok(start..end.ok_or_else(cut_off)?)
    }
}

/// Where the list of files starts, and its bytes.
fn directory(file: &mut File, length: u64) -> Result<(u64, u64), WeightFault> {
    let tail_bytes = length.min(END_BYTES as u64 + MOST_COMMENT_BYTES + LOCATOR_64_BYTES as u64);
    let mut tail = vec![0; tail_bytes as usize];
    file.seek(SeekFrom::Start(length - tail_bytes))?;
    file.read_exact(&mut tail)?;
    let candidates = (0..=tail.len().saturating_sub(END_BYTES)).rev();
    let end = candidates.into_iter().find(|&at| u32_at(&tail, at) == Some(END_SIGNATURE));
    let fields = end.and_then(|end| {
        Some((end, u64::from(u32_at(&tail, end + 16)?), u64::from(u32_at(&tail, end + 12)?)))
    });
    let Some((end, start, size)) = fields else {
        let expected = "a ZIP archive's list of files at its end";
        return Err(WeightFault::malformed(expected, "none: the file is cut off"));
    };
    let locator = end.checked_sub(LOCATOR_64_BYTES);
    let locator = locator.filter(|&at| u32_at(&tail, at) == Some(LOCATOR_64_SIGNATURE));
    match locator.and_then(|at| u64_at(&tail, at + 8)) {
        Some(record) => directory_64(file, length, record),
        None => Ok((start, size)),
    }
}

/// The same by the record of a large archive, which lies at `record`.
fn directory_64(file: &mut File, length: u64, record: u64) -> Result<(u64, u64), WeightFault> {
    const RECORD_BYTES: usize = 56;
    let mut bytes = [0; RECORD_BYTES];
    let malformed = || WeightFault::malformed("a ZIP64 record", "something else");
    if record.checked_add(RECORD_BYTES as u64).is_none_or(|end| end > length) {
        return Err(malformed());
    }
    file.seek(SeekFrom::Start(record))?;
    file.read_exact(&mut bytes)?;
    if u32_at(&bytes, 0) != Some(END_64_SIGNATURE) {
        return Err(malformed());
    }
    u64_at(&bytes, 48).zip(u64_at(&bytes, 40)).ok_or_else(malformed)
}

/// Takes one entry off the list.
fn entry(rest: &mut &[u8]) -> Option<(String, Entry)> {
    let bytes = *rest;
    if u32_at(bytes, 0)? != ENTRY_SIGNATURE {
        return None;
    }
    let [name, extra, comment] = [28, 30, 32].map(|at| u16_at(bytes, at).map(usize::from));
    let (name, extra, comment) = (name?, extra?, comment?);
    let extra_start = ENTRY_BYTES + name;
    let end = extra_start + extra + comment;
    *rest = bytes.get(end..)?;
    let mut stored_size = u64::from(u32_at(bytes, 20)?);
    let mut size = u64::from(u32_at(bytes, 24)?);
    let mut header = u64::from(u32_at(bytes, 42)?);
    let mut wide = extra_64(&bytes[extra_start..extra_start + extra]);
    // In this order, and only those that don't fit into 32 bits.
    for field in [&mut size, &mut stored_size, &mut header] {
        if *field == ELSEWHERE {
            *field = u64_at(wide, 0)?;
            wide = &wide[8..];
        }
    }
    let is_encrypted = u16_at(bytes, 8)? & ENCRYPTED != 0;
    let plain = u16_at(bytes, 10)? == 0 && !is_encrypted && stored_size == size;
    let name = String::from_utf8_lossy(&bytes[ENTRY_BYTES..extra_start]).into_owned();
    Some((name, Entry { header, size, plain }))
}

/// The 64-bit values in an entry's extra data.
fn extra_64(mut extra: &[u8]) -> &[u8] {
    while let (Some(kind), Some(size)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let end = (4 + usize::from(size)).min(extra.len());
        if kind == EXTRA_64 {
            return &extra[4..end];
        }
        extra = &extra[end..];
    }
    &[]
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    const CONTENT: &[u8] = b"content";

    /// An entry in the list of files.
    #[derive(Debug, Clone, Copy)]
    struct Listed {
        name: &'static str,
        flags: u16,
        method: u16,
        stored_size: u64,
        size: u64,
        header: u64,
    }

    impl Listed {
        /// The truth about `CONTENT` in an [`archive`].
        fn new(name: &'static str) -> Self {
            let size = CONTENT.len() as u64;
            Self { name, flags: 0, method: 0, stored_size: size, size, header: 0 }
        }

        fn write(self, wide: bool, bytes: &mut Vec<u8>) {
            let values = [self.size, self.stored_size, self.header];
            let [size, stored_size, header] =
                values.map(|value| if wide { u32::MAX } else { value as u32 }.to_le_bytes());
            let mut extra = Vec::new();
            if wide {
                extra.extend(EXTRA_64.to_le_bytes());
                extra.extend(24_u16.to_le_bytes());
                extra.extend(values.into_iter().flat_map(u64::to_le_bytes));
            }
            let [name_bytes, extra_bytes] =
                [self.name.len(), extra.len()].map(|length| (length as u16).to_le_bytes());
            for field in [
                &ENTRY_SIGNATURE.to_le_bytes()[..],
                &[0; 4],
                &self.flags.to_le_bytes(),
                &self.method.to_le_bytes(),
                &[0; 8],
                &stored_size,
                &size,
                &name_bytes,
                &extra_bytes,
                &[0; 10],
                &header,
                self.name.as_bytes(),
                &extra,
            ] {
                bytes.extend(field);
            }
        }
    }

    /// What an archive says about its list of files.
    struct End {
        count: u64,
        size: u64,
        start: u64,
    }

    impl End {
        fn write(&self, wide: bool, bytes: &mut Vec<u8>) {
            let record = bytes.len() as u64;
            if wide {
                bytes.extend(END_64_SIGNATURE.to_le_bytes());
                bytes.extend(44_u64.to_le_bytes());
                bytes.extend([0; 12]);
                for value in [self.count, self.count, self.size, self.start] {
                    bytes.extend(value.to_le_bytes());
                }
                bytes.extend(LOCATOR_64_SIGNATURE.to_le_bytes());
                bytes.extend([0; 4]);
                bytes.extend(record.to_le_bytes());
                bytes.extend(1_u32.to_le_bytes());
            }
            bytes.extend(END_SIGNATURE.to_le_bytes());
            bytes.extend([0; 4]);
            bytes.extend([(self.count as u16).to_le_bytes(); 2].concat());
            bytes.extend((self.size as u32).to_le_bytes());
            bytes.extend((self.start as u32).to_le_bytes());
            bytes.extend([0; 2]);
        }
    }

    /// `CONTENT` under an anonymous header, and a list of `entries`, with 64-bit numbers if `wide`.
    fn archive(entries: &[Listed], wide: bool) -> Vec<u8> {
        let mut bytes = LOCAL_SIGNATURE.to_le_bytes().to_vec();
        bytes.resize(LOCAL_BYTES, 0);
        bytes.extend(CONTENT);
        let start = bytes.len() as u64;
        for entry in entries {
            entry.write(wide, &mut bytes);
        }
        let size = bytes.len() as u64 - start;
        End { count: entries.len() as u64, size, start }.write(wide, &mut bytes);
        bytes
    }

    /// The content of the file `a` in an archive.
    fn content(bytes: &[u8]) -> Result<Vec<u8>, WeightFault> {
        let mut file = tempfile::tempfile()?;
        file.write_all(bytes)?;
        let directory = ZipDirectory::read(&mut file, bytes.len() as u64)?;
        let range = directory.content("a", &mut file)?;
        assert!(range.start <= range.end && range.end <= bytes.len() as u64, "{range:?}");
        Ok(bytes[range.start as usize..range.end as usize].to_vec())
    }

    fn message(bytes: &[u8]) -> String {
        content(bytes).unwrap_err().to_string()
    }

    #[test]
    fn a_stored_file_is_found_in_small_and_in_large_archives() {
        for wide in [false, true] {
            let bytes = archive(&[Listed::new("b"), Listed::new("a")], wide);
            assert_eq!(content(&bytes).unwrap(), CONTENT, "64-bit numbers: {wide}");
        }
    }

    #[test]
    fn files_may_overlap() {
        let rest = Listed { header: 0, size: 4, stored_size: 4, ..Listed::new("a") };
        assert_eq!(content(&archive(&[Listed::new("b"), rest], false)).unwrap(), b"cont");
    }

    #[test]
    fn compressed_and_encrypted_files_are_refused() {
        let new = Listed::new("a");
        for entry in [
            Listed { method: 8, ..new },
            Listed { flags: ENCRYPTED, ..new },
            Listed { stored_size: 5, ..new },
        ] {
            assert_eq!(
                message(&archive(&[entry], false)),
                "expected a stored as it is, found it compressed or encrypted"
            );
        }
    }

    #[test]
    fn a_size_or_a_place_beyond_the_archive_is_refused() {
        let new = Listed::new("a");
        for size in [1000, 1 << 31, 1 << 40, u64::MAX] {
            for entry in [Listed { size, stored_size: size, ..new }, Listed { header: size, ..new }]
            {
                assert_eq!(
                    message(&archive(&[entry], true)),
                    "expected a inside the archive, found an archive that is cut off",
                    "{entry:?}"
                );
            }
        }
        let elsewhere = Listed { header: 5, ..new };
        let found = message(&archive(&[elsewhere], false));
        assert_eq!(found, "expected a header of a, found something else");
    }

    #[test]
    fn a_list_that_is_longer_than_the_file_or_than_any_network_needs_is_not_allocated() {
        for (size, start) in [(u64::MAX, 0), (1 << 40, 0), (0, u64::MAX), (100, 8), (17 << 20, 0)] {
            let mut bytes = LOCAL_SIGNATURE.to_le_bytes().to_vec();
            End { count: size / 46, size, start }.write(true, &mut bytes);
            let found = message(&bytes);
            assert!(found.starts_with("expected a list of files of at most "), "{size}: {found}");
        }
    }

    /// The `zip` crate reserves 242 MiB for this file of 64 MiB.
    #[test]
    fn the_number_of_files_is_not_believed() {
        let length = 64 << 20;
        let mut file = tempfile::tempfile().unwrap();
        let mut bytes = Vec::new();
        End { count: length / 48, size: 4, start: length / 48 }.write(true, &mut bytes);
        let locator = bytes.len() - END_BYTES - LOCATOR_64_BYTES + 8;
        bytes[locator..locator + 8].copy_from_slice(&length.to_le_bytes());
        file.seek(SeekFrom::Start(length)).unwrap();
        file.write_all(&bytes).unwrap();
        let length = length + bytes.len() as u64;
        let error = ZipDirectory::read(&mut file, length).err().unwrap().to_string();
        assert_eq!(error, "expected an entry in the list of files, found something else");
    }

    proptest! {
        #[test]
        fn no_byte_that_is_changed_does_harm(
            wide in any::<bool>(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
        ) {
            let mut bytes = archive(&[Listed::new("b"), Listed::new("a")], wide);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = content(&bytes);
        }
    }
}
