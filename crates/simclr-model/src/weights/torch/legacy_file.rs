//! The tensors of a file of PyTorch before 1.6: five pickles, then the storages.

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;

use super::state_dict::{MOST_PICKLE_BYTES, contents, read_part};
use crate::weights::contents::Contents;
use crate::weights::element_type::ElementType;
use crate::weights::error::WeightFault;
use crate::weights::pickle::{Pickle, Value};

/// The pickled number 0x1950a86a20f9469cfc6c, the first value of such a file.
const MAGIC: [u8; 12] = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19];
/// The instruction before it since protocol 4, and the bytes of its argument: the length of a frame.
const FRAME: u8 = 0x95;
const FRAME_BYTES: usize = 8;

/// Whether a file that starts with these bytes is of the format.
pub(in crate::weights) fn is_legacy(start: &[u8]) -> bool {
    let [0x80, _, start @ ..] = start else { return false };
    let framed = start.strip_prefix(&[FRAME]).and_then(|start| start.get(FRAME_BYTES..));
    framed.unwrap_or(start).starts_with(&MAGIC)
}

/// Bytes of the count before a storage's values.
const COUNT_BYTES: u64 = 8;

/// Reads the tensors of a file, which has `length` bytes.
pub(in crate::weights) fn read(file: &mut File, length: u64) -> Result<Contents, WeightFault> {
    let start = read_part(file, 0..length.min(MOST_PICKLE_BYTES))?;
    // The magic number, the format's version, the machine that wrote the file.
    let mut rest = &start[..];
    for _ in 0..3 {
        rest = Pickle::read(rest)?.1;
    }
    let (pickle, rest) = Pickle::read(rest)?;
    let (keys, rest) = Pickle::read(rest)?;
    let first = (start.len() - rest.len()) as u64;
    let storages = storages(&pickle, &keys, file, first..length)?;
    let missing = |key: &str| WeightFault::malformed(format!("a storage {key}"), "none");
    contents(&pickle, |storage| {
        storages.get(storage.key).cloned().ok_or_else(|| missing(storage.key))
    })
}

/// Where each storage lies. They follow each other in the order of `keys`, and fill the bytes of `range` at most.
fn storages<'a>(
    pickle: &Pickle<'a>,
    keys: &Pickle<'a>,
    file: &mut File,
    range: Range<u64>,
) -> Result<HashMap<&'a str, Range<u64>>, WeightFault> {
    let types: HashMap<&str, ElementType> = pickle
        .heap
        .storages()
        .map(|storage| (storage.key, storage.storage_type.element_type()))
        .collect();
    let keys = keys.heap.sequence(keys.top);
    let mut at = range.start;
    let mut storages = HashMap::new();
    for &key in keys.ok_or_else(|| WeightFault::malformed("a list of storages", "none"))? {
        let Value::Text(key) = key else {
            return Err(WeightFault::malformed("the name of a storage", "something else"));
        };
        let Some(element_type) = types.get(key) else {
            return Err(WeightFault::malformed(format!("a type of storage {key}"), "none"));
        };
        let count = read_part(file, at..at.saturating_add(COUNT_BYTES).min(range.end))?;
        let count = u64::from_le_bytes(count.try_into().map_err(|_| {
            WeightFault::malformed(format!("storage {key}"), "a file that is cut off")
        })?);
        let size = count.checked_mul(element_type.size() as u64);
        let content = at + COUNT_BYTES;
        let end = size.and_then(|size| content.checked_add(size)).filter(|&end| end <= range.end);
        let Some(end) = end else {
            let expected = format!("{count} values in storage {key}");
            return Err(WeightFault::malformed(expected, "a file that is cut off"));
        };
        storages.insert(key, content..end);
        at = end;
    }
    Ok(storages)
}
