//! The table at the end of a packed file.
//!
//! A packed file is a tar archive. Its last member holds the table of all others, and the last bytes of that member say
//! where it begins, so that a packed file is opened by two reads however long it is. Other programs see one more member;
//! `WebDataset` leaves out members called `__so__`.

use std::fs::File;

use super::{
    columns::{Columns, NO_SPLIT},
    label::Label,
    positioned::read_exact_at,
    scanned_shard::ScannedShard,
    tar_header::BLOCK,
};
use crate::{
    index_file::{IndexFault, IndexKind, TableWriter},
    patience::patiently,
};

const KIND: IndexKind = IndexKind { name: b"packed\0\0", version: 1 };
/// How the member with the table is called.
pub(crate) const INDEX_NAME: &str = "__simclr_index__";
/// The last bytes of that member: where its content begins, its length without these bytes and the zeros before them, and
/// a mark.
const FOOTER: usize = 24;
const FOOTER_MARK: &[u8; 8] = b"simclr-e";
/// Bytes after the last member: two blocks of zeros.
const END: u64 = 2 * BLOCK as u64;

/// The content of the last member, which begins at byte `at` of the file: the table of the images before it, whose
/// numbers of classes and splits lead to these names.
pub(crate) fn encode(
    images: &Columns,
    class_names: &[String],
    split_names: &[String],
    at: u64,
) -> Vec<u8> {
    let mut table = TableWriter::new();
    table.texts(class_names);
    table.texts(split_names);
    images.write(&mut table);
    let mut bytes = KIND.encode(table);
    let length = bytes.len() as u64;
    bytes.resize((bytes.len() + FOOTER).next_multiple_of(BLOCK) - FOOTER, 0);
    bytes.extend(at.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(FOOTER_MARK);
    bytes
}

/// What the table at the end of the archive `file`, of `len` bytes, tells. `None` if there is none, or if it is damaged or
/// lies: then the headers tell the same, without splits and with names as the members have them.
pub(super) fn of(file: &File, len: u64) -> Option<ScannedShard> {
    let mut footer = [0; FOOTER];
    let footer_at = len.checked_sub(END + FOOTER as u64)?;
    patiently(|| read_exact_at(file, &mut footer, footer_at)).ok()?;
    if footer[16..] != *FOOTER_MARK {
        return None;
    }
    let u64_at =
        |at: usize| u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|byte| footer[at + byte]));
    let (at, length) = (u64_at(0), u64_at(8));
    // No more is read than the file has.
    if at.checked_add(length)? > footer_at {
        return None;
    }
    let mut bytes = vec![0; usize::try_from(length).ok()?];
    patiently(|| read_exact_at(file, &mut bytes, at)).ok()?;
    read(&bytes, at).ok()
}

fn read(bytes: &[u8], end: u64) -> Result<ScannedShard, IndexFault> {
    let mut table = KIND.decode(bytes)?;
    let (class_names, splits) = (table.texts()?, table.texts()?);
    let images = Columns::read(&mut table, class_names.len(), splits.len())?;
    table.end()?;
    let places = images.offsets.iter().zip(&images.lengths);
    let is_inside = |(&at, &length): (&u64, &u32)| {
        at >= BLOCK as u64 && at.checked_add(u64::from(length)).is_some_and(|to| to <= end)
    };
    if !places.into_iter().all(is_inside) {
        return Err(IndexFault::Table("an image lies outside the file"));
    }
    if !(1..usize::from(NO_SPLIT)).contains(&splits.len()) {
        return Err(IndexFault::Table("there are no splits, or too many"));
    }
    let labels = class_names.into_iter().map(|name| Label { number: None, name: Some(name) });
    Ok(ScannedShard { images, labels: labels.collect(), splits, ..ScannedShard::default() })
}
