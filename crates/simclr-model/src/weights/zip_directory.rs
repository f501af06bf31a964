//! The files in a ZIP archive that were stored as they are.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::error::WeightError;

/// The longest list of files that is read: a network of 10,000 tensors needs about one MiB.
const MOST_DIRECTORY_BYTES: u64 = 16 << 20;
/// Bytes of the record at an archive's end, without its comment.
const END_BYTES: usize = 22;
/// The longest comment there can be.
const MOST_COMMENT_BYTES: u64 = 0xFFFF;
const END_SIGNATURE: u32 = 0x0605_4B50;
const END_64_SIGNATURE: u32 = 0x0606_4B50;
const LOCATOR_64_SIGNATURE: u32 = 0x0706_4B50;
const LOCATOR_64_BYTES: usize = 20;
const ENTRY_SIGNATURE: u32 = 0x0201_4B50;
const ENTRY_BYTES: usize = 46;
const LOCAL_SIGNATURE: u32 = 0x0403_4B50;
const LOCAL_BYTES: usize = 30;
/// A 32-bit field that stands for one in the extra data.
const ELSEWHERE: u64 = 0xFFFF_FFFF;
const EXTRA_64: u16 = 1;

/// What `torch.save` writes is a ZIP archive without compression (APPNOTE 6.3.10, sections 4.3.7 to 4.3.16), so
/// that tensors can be read where they lie.
pub(super) struct ZipDirectory {
    /// Name, and where the local header lies and the bytes of the content.
    entries: HashMap<String, Entry>,
    /// Bytes of the archive.
    length: u64,
}

struct Entry {
    header: u64,
    size: u64,
    compressed: bool,
}

impl ZipDirectory {
    /// Reads the list of files of `file`, which has `length` bytes.
    pub(super) fn read(file: &mut File, length: u64) -> Result<Self, WeightError> {
        let (start, size) = directory(file, length)?;
        if size > MOST_DIRECTORY_BYTES || start.checked_add(size).is_none_or(|end| end > length) {
            let expected = format!("a list of files within {length} bytes");
            let found = format!("one of {size} bytes at {start}: the file is cut off");
            return Err(WeightError::malformed(expected, found));
        }
        let mut bytes = vec![0; size as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut bytes)?;
        let mut rest = &bytes[..];
        let mut entries = HashMap::new();
        while !rest.is_empty() {
            let (name, entry) = entry(&mut rest).ok_or_else(|| {
                WeightError::malformed("an entry in the list of files", "something else")
            })?;
            entries.insert(name, entry);
        }
        Ok(Self { entries, length })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Where the content of a file lies in the archive.
    pub(super) fn content(&self, name: &str, file: &mut File) -> Result<Range<u64>, WeightError> {
        let Some(entry) = self.entries.get(name) else {
            return Err(WeightError::malformed(format!("a file {name} in the archive"), "none"));
        };
        if entry.compressed {
            return Err(WeightError::malformed(format!("{name} stored as it is"), "it compressed"));
        }
        let mut header = [0; LOCAL_BYTES];
        let cut_off = || {
            WeightError::malformed(
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
            return Err(WeightError::malformed(format!("a header of {name}"), "something else"));
        }
        let skipped = [26, 28].map(|at| u64::from(u16_at(&header, at).unwrap_or_default()));
        let start = entry.header + LOCAL_BYTES as u64 + skipped[0] + skipped[1];
        let end = start.checked_add(entry.size).filter(|&end| end <= self.length);
        Ok(start..end.ok_or_else(cut_off)?)
    }
}

/// Start and size of the list of files.
fn directory(file: &mut File, length: u64) -> Result<(u64, u64), WeightError> {
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
        return Err(WeightError::malformed(expected, "none: the file is cut off"));
    };
    let locator = end.checked_sub(LOCATOR_64_BYTES);
    let locator = locator.filter(|&at| u32_at(&tail, at) == Some(LOCATOR_64_SIGNATURE));
    match locator.and_then(|at| u64_at(&tail, at + 8)) {
        Some(record) => directory_64(file, length, record),
        None => Ok((start, size)),
    }
}

/// Start and size of the list of files by the record for large archives, which lies at `record`.
fn directory_64(file: &mut File, length: u64, record: u64) -> Result<(u64, u64), WeightError> {
    const RECORD_BYTES: usize = 56;
    let mut bytes = [0; RECORD_BYTES];
    let malformed = || WeightError::malformed("a ZIP64 record", "something else");
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
    let mut size = u64::from(u32_at(bytes, 24)?);
    let mut header = u64::from(u32_at(bytes, 42)?);
    let mut wide = extra_64(&bytes[extra_start..extra_start + extra]);
    // In this order, and only those that don't fit: size, compressed size, header.
    for (field, is_read) in
        [(&mut size, true), (&mut u64::from(u32_at(bytes, 20)?), false), (&mut header, true)]
    {
        if *field == ELSEWHERE {
            let value = u64_at(wide, 0)?;
            wide = &wide[8..];
            if is_read {
                *field = value;
            }
        }
    }
    let name = String::from_utf8_lossy(&bytes[ENTRY_BYTES..extra_start]).into_owned();
    Some((name, Entry { header, size, compressed: u16_at(bytes, 10)? != 0 }))
}

/// The 64-bit values among an entry's extra data.
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
