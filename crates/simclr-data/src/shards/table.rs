//! Where each image of a set of shards is.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use super::{
    columns::Columns,
    layout::{self, Groups, Part},
    notes::Notes,
    pack_index,
    scanned_shard::ScannedShard,
    shard_files::ShardFile,
    stamp::Stamp,
};
use crate::{
    DataError, escape_name,
    image_folder::EXTENSIONS,
    index_file::{IndexFault, IndexKind, TableReader, TableWriter},
    patience::patiently,
};

const KIND: IndexKind = IndexKind { name: b"shards\0\0", version: 1 };

/// A shard, as it was when it was looked through.
#[derive(Debug)]
pub(super) struct Shard {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
}

/// The images of all shards, in their order.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) shards: Vec<Shard>,
    /// For each shard, the number of images in it and in those before it.
    pub(super) ends: Vec<u64>,
    pub(super) images: Columns,
    pub(super) class_names: Vec<String>,
    pub(super) split_names: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl Table {
    /// Reads the headers of all shards, many at a time.
    pub(super) fn of(files: &[ShardFile]) -> Result<Self, DataError> {
        let mut scanned: Vec<(Shard, ScannedShard)> =
            files.par_iter().map(|file| scan(&file.path)).collect::<Result<_, _>>()?;
        let mut groups = Groups::default();
        let labels: Vec<_> =
            scanned.iter_mut().map(|(_, of)| std::mem::take(&mut of.labels)).collect();
        // The packer's own lists of classes and splits have an order.
        let packed: Vec<bool> = scanned.iter().map(|(_, of)| !of.splits.is_empty()).collect();
        let all_packed = packed.iter().all(|&packed| packed);
        for (_, of) in &mut scanned {
            of.number_splits(&mut groups.split_names);
        }
        let mut parts: Vec<Part> = scanned
            .iter_mut()
            .zip(files.iter().zip(&packed))
            .map(|((_, of), (file, &packed))| Part {
                images: &mut of.images,
                split: file.split,
                packed,
            })
            .collect();
        layout::divide(&mut parts, &mut groups);
        if all_packed || labels.iter().any(|labels| !labels.is_empty()) {
            layout::classes_by_label(&mut parts, &labels, all_packed, &mut groups);
        } else {
            layout::classes_by_folder(&mut parts, &mut groups);
        }
        let mut table = Self {
            shards: Vec::new(),
            ends: Vec::new(),
            images: Columns::default(),
            class_names: groups.class_names,
            split_names: groups.split_names,
            warnings: Vec::new(),
        };
        let mut notes = Notes::default();
        for (shard, of) in scanned {
            table.images.append(&of.images);
            table.ends.push(table.images.len() as u64);
            table.shards.push(shard);
            notes.merge(of.notes);
        }
        table.images.shrink();
        table.refuse_none(&notes)?;
        table.warnings = notes.warnings();
        Ok(table)
    }

    fn refuse_none(&self, notes: &Notes) -> Result<(), DataError> {
        if self.images.len() > 0 {
            return Ok(());
        }
        let path = self.shards.first().map(|shard| shard.path.clone()).unwrap_or_default();
        Err(match notes.archive() {
            Some(member) => DataError::NestedArchive { path, member: member.to_owned() },
            None => DataError::NoImages { path, extensions: EXTENSIONS.join(", ") },
        })
    }

    /// The table that an index file has of these shards.
    ///
    /// # Errors
    ///
    /// Why it is of no use.
    pub(super) fn from_index(index: &Path, files: &[ShardFile]) -> Result<Self, IndexFault> {
        let bytes = KIND.read(index)?;
        let mut table = KIND.decode(&bytes)?;
        let found = Self::read(&mut table, files)?;
        table.end()?;
        Ok(found)
    }

    fn read(table: &mut TableReader, files: &[ShardFile]) -> Result<Self, IndexFault> {
        let outdated = |what: String| Err(IndexFault::Outdated(what));
        let count = table.u64()?;
        if count != files.len() as u64 {
            return outdated(format!("it is of {count} shards, and there are {}", files.len()));
        }
        let mut shards = Vec::new();
        for file in files {
            let (name, len, modified) = (table.text()?, table.u64()?, table.u64()?);
            let stamp = Stamp { len, modified: modified.cast_signed() };
            if name != shard_name(file) {
                return outdated(format!("it is of {name}, and there is {}", shard_name(file)));
            }
            let now = patiently(|| fs::metadata(&file.path))?;
            if Stamp::of(&now) != stamp {
                return outdated(format!("{} has changed", file.path.display()));
            }
            shards.push(Shard { path: file.path.clone(), stamp });
        }
        let ends = table.u64s()?;
        let [class_names, split_names, warnings] = [table.texts()?, table.texts()?, table.texts()?];
        let images = Columns::read(table, class_names.len(), split_names.len())?;
        let are_legal = ends.len() == shards.len()
            && ends.is_sorted()
            && ends.last().copied() == Some(images.len() as u64);
        if !are_legal {
            return Err(IndexFault::Table("a shard has other images than it says"));
        }
        Ok(Self { shards, ends, images, class_names, split_names, warnings })
    }

    /// Writes an index file, from which [`from_index`](Self::from_index) has the table again. `files` are the shards.
    pub(super) fn write_index(&self, index: &Path, files: &[ShardFile]) -> std::io::Result<()> {
        let mut table = TableWriter::new();
        table.u64(self.shards.len() as u64);
        for (shard, file) in self.shards.iter().zip(files) {
            table.bytes(shard_name(file).as_bytes());
            table.u64(shard.stamp.len);
            table.u64(shard.stamp.modified.cast_unsigned());
        }
        table.u64s(&self.ends);
        for texts in [&self.class_names, &self.split_names, &self.warnings] {
            table.texts(texts);
        }
        self.images.write(&mut table);
        KIND.write(index, table)
    }

    /// The shard of the image at `index`.
    pub(super) fn shard_of(&self, index: usize) -> usize {
        self.ends.partition_point(|&end| end <= index as u64)
    }
}

/// A shard's file name and split, by which an index knows it: the folder of all of them may have moved.
fn shard_name(file: &ShardFile) -> String {
    let name = escape_name(Path::new(file.path.file_name().unwrap_or_default()));
    let split = file.split.map_or("", |split| split.name());
    format!("{name} {split}")
}

/// Opens and looks through a shard.
fn scan(path: &Path) -> Result<(Shard, ScannedShard), DataError> {
    let failed = |source| DataError::from_io(path, "a shard", source);
    let file = patiently(|| File::open(path)).map_err(failed)?;
    let metadata = patiently(|| file.metadata()).map_err(failed)?;
    if !metadata.is_file() {
        return Err(DataError::Missing {
            path: path.to_owned(),
            expected: "a file, as a shard is",
        });
    }
    let stamp = Stamp::of(&metadata);
    let found = match pack_index::of(&file, stamp.len) {
        Some(packed) => packed,
        None => ScannedShard::of(path, &file, stamp.len)?,
    };
    Ok((Shard { path: path.to_owned(), stamp }, found))
}
