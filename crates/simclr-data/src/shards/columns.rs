//! What is known of many images, in 34 bytes each and their names.

use super::names::Names;
use crate::index_file::{IndexFault, TableReader, TableWriter};

/// Stands for no class.
pub(crate) const NO_LABEL: u32 = u32::MAX;
/// Stands for no split.
pub(crate) const NO_SPLIT: u8 = u8::MAX;

/// A column for each thing that is known of an image.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Columns {
    /// Where in its shard an image's bytes begin.
    pub(crate) offsets: Vec<u64>,
    /// How many they are; all ones for more than fit.
    pub(crate) lengths: Vec<u32>,
    /// CRC32C of the header before them.
    pub(crate) header_crcs: Vec<u32>,
    /// CRC32C of them; 0 if it isn't known.
    pub(crate) data_crcs: Vec<u32>,
    /// The class, or [`NO_LABEL`].
    pub(crate) labels: Vec<u32>,
    /// The split, or [`NO_SPLIT`].
    pub(crate) splits: Vec<u8>,
    /// Whether the bytes are pixels after a PPM's header: 0 or 1.
    pub(crate) raw: Vec<u8>,
    pub(crate) names: Names,
}

/// What is known of an image.
pub(crate) struct Row<'a> {
    pub(crate) offset: u64,
    pub(crate) length: u32,
    pub(crate) header_crc: u32,
    pub(crate) data_crc: u32,
    pub(crate) label: u32,
    pub(crate) split: u8,
    pub(crate) raw: bool,
    pub(crate) name: &'a str,
}

impl Columns {
    pub(crate) fn len(&self) -> usize {
        self.offsets.len()
    }

    pub(crate) fn push(&mut self, row: &Row) {
        self.offsets.push(row.offset);
        self.lengths.push(row.length);
        self.header_crcs.push(row.header_crc);
        self.data_crcs.push(row.data_crc);
        self.labels.push(row.label);
        self.splits.push(row.split);
        self.raw.push(u8::from(row.raw));
        self.names.push(row.name);
    }

    pub(crate) fn append(&mut self, other: &Self) {
        self.offsets.extend(&other.offsets);
        self.lengths.extend(&other.lengths);
        self.header_crcs.extend(&other.header_crcs);
        self.data_crcs.extend(&other.data_crcs);
        self.labels.extend(&other.labels);
        self.splits.extend(&other.splits);
        self.raw.extend(&other.raw);
        self.names.append(&other.names);
    }

    /// Gives back the memory that growing left over.
    pub(crate) fn shrink(&mut self) {
        self.offsets.shrink_to_fit();
        self.lengths.shrink_to_fit();
        self.header_crcs.shrink_to_fit();
        self.data_crcs.shrink_to_fit();
        self.labels.shrink_to_fit();
        self.splits.shrink_to_fit();
        self.raw.shrink_to_fit();
        self.names.shrink();
    }

    pub(crate) fn write(&self, table: &mut TableWriter) {
        table.u64s(&self.offsets);
        for column in [&self.lengths, &self.header_crcs, &self.data_crcs, &self.labels] {
            table.u32s(column);
        }
        table.bytes(&self.splits);
        table.bytes(&self.raw);
        let (text, ends) = self.names.parts();
        table.bytes(text.as_bytes());
        table.u64s(ends);
    }

    /// Reads what [`write`](Self::write) wrote, for so many classes and splits.
    pub(crate) fn read(
        table: &mut TableReader,
        classes: usize,
        splits: usize,
    ) -> Result<Self, IndexFault> {
        let offsets = table.u64s()?;
        let [lengths, header_crcs, data_crcs, labels] =
            [table.u32s()?, table.u32s()?, table.u32s()?, table.u32s()?];
        let [of_splits, raw] = [table.bytes()?, table.bytes()?].map(<[u8]>::to_vec);
        let (text, ends) = (table.text()?, table.u64s()?);
        let names = Names::from_parts(text, ends).ok_or(IndexFault::Table("a name has no end"))?;
        let len = offsets.len();
        let as_long =
            [&lengths, &header_crcs, &data_crcs, &labels].iter().all(|of| of.len() == len);
        if !as_long || [of_splits.len(), raw.len(), names.len()] != [len; 3] {
            return Err(IndexFault::Table("columns differ in length"));
        }
        if labels.iter().any(|&label| label != NO_LABEL && label as usize >= classes) {
            return Err(IndexFault::Table("a label is of no class"));
        }
        if of_splits.iter().any(|&split| split != NO_SPLIT && usize::from(split) >= splits) {
            return Err(IndexFault::Table("an image is of no split"));
        }
        Ok(Self { offsets, lengths, header_crcs, data_crcs, labels, splits: of_splits, raw, names })
    }
}
