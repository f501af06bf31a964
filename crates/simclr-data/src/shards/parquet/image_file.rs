//! What one Parquet file holds.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use parquet::{
    basic::Type,
    data_type::{Int32Type, Int64Type},
    file::metadata::{
        ColumnChunkMask, ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData,
        ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy, RowGroupMetaData,
    },
    schema::types::ColumnDescPtr,
};

use super::{chunk::Chunk, fault::Fault, page, schema::Schema, source::Source};
use crate::{DataError, patience::patiently, shards::stamp::Stamp};

/// The most images that a file may have: each takes four bytes of memory.
const MOST_ROWS: u64 = 1 << 26;

/// Stands for a label that is none: the number of no class.
pub(super) const NO_NUMBER: i64 = -1;

/// A Parquet file, as it was when it was opened.
#[derive(Debug)]
pub(super) struct ImageFile {
    pub(super) path: PathBuf,
    pub(super) stamp: Stamp,
    pub(super) column: ColumnDescPtr,
    /// The image column of each row group that has rows.
    pub(super) chunks: Vec<Chunk>,
    /// For each row group, the number of rows in it and in those before it.
    ends: Vec<u64>,
}

/// A file, and what it says of classes.
pub(super) struct Opened {
    pub(super) file: ImageFile,
    /// The number of each image's class, or one below 0; none without a column of classes.
    pub(super) numbers: Vec<i64>,
    pub(super) class_names: Option<Vec<String>>,
    /// The column of classes that is no column of whole numbers.
    pub(super) unclear: Option<String>,
}

impl ImageFile {
    /// Reads the end of a file, where its parts are listed, and its column of classes. Without a page index it is refused, unless
    /// images are read `in_order`.
    pub(super) fn open(path: &Path, in_order: bool) -> Result<Opened, DataError> {
        let failed = |source| DataError::from_io(path, "a Parquet file", source);
        let file = patiently(|| File::open(path)).map_err(failed)?;
        let metadata = patiently(|| file.metadata()).map_err(failed)?;
        if !metadata.is_file() {
            return Err(DataError::Missing { path: path.to_owned(), expected: "a Parquet file" });
        }
        let stamp = Stamp::of(&metadata);
        let source = Source { file: Arc::new(file), len: stamp.len };
        let opened = Fault::instead_of_a_panic(|| look_through(path, stamp, &source, in_order));
        opened.map_err(|fault| {
            let path = path.to_owned();
            match fault {
                Fault::Io(source) => DataError::Io { path, source },
                Fault::NoPageIndex => DataError::NoPageIndex { path },
                Fault::Damaged(found) => DataError::Parquet { path, found },
            }
        })
    }

    pub(super) fn rows(&self) -> u64 {
        self.ends.last().copied().unwrap_or_default()
    }

    /// Pages of the image column.
    pub(super) fn pages(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.pages.len()).sum()
    }

    /// The row group of a row, and the row's place there.
    pub(super) fn locate(&self, row: u64) -> (usize, u32) {
        let group = self.ends.partition_point(|&end| end <= row);
        let start = group.checked_sub(1).map_or(0, |before| self.ends[before]);
        (group, (row - start) as u32)
    }
}

fn look_through(
    path: &Path,
    stamp: Stamp,
    source: &Source,
    in_order: bool,
) -> Result<Opened, Fault> {
    let metadata = footer(source)?;
    let schema = Schema::of(metadata.file_metadata())?;
    let metadata = with_page_index(metadata, schema.image, source)?;
    let descriptor = |leaf| metadata.file_metadata().schema_descr().column(leaf);
    let column = descriptor(schema.image);
    let (mut chunks, mut ends, mut numbers, mut end) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (number, group) in metadata.row_groups().iter().enumerate() {
        let rows = u32::try_from(group.num_rows());
        let rows = rows.map_err(|_| Fault::damaged("a row group whose rows are no number"))?;
        if rows == 0 {
            continue;
        }
        end += u64::from(rows);
        if end > MOST_ROWS {
            return Err(Fault::damaged(format!(
                "more than {MOST_ROWS} rows, the most that are read"
            )));
        }
        let part = own(group, schema.image)?;
        let index = metadata.page_index_for_row_group(number);
        let chunk = match index.page_locations(schema.image).filter(|pages| !pages.is_empty()) {
            Some(pages) => Chunk::of_index(part, pages, rows, source.len)?,
            None if in_order => Chunk::of_headers(part, rows, &source.file, source.len)?,
            None => return Err(Fault::NoPageIndex),
        };
        if let Some(label) = schema.label {
            let part = own(group, label)?;
            let chunk = Chunk::of_headers(part, rows, &source.file, source.len)?;
            read_numbers(source, &descriptor(label), &chunk, &mut numbers)?;
        }
        chunks.push(chunk);
        ends.push(end);
    }
    let file = ImageFile { path: path.to_owned(), stamp, column, chunks, ends };
    let Schema { class_names, unclear, .. } = schema;
    Ok(Opened { file, numbers, class_names, unclear })
}

/// The list of the file's parts, without the statistics of columns.
fn footer(source: &Source) -> Result<ParquetMetaData, Fault> {
    let options = ParquetMetaDataOptions::new()
        .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll)
        .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll);
    let reader = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Skip)
        .with_metadata_options(Some(options));
    Ok(reader.parse_and_finish(source)?)
}

/// The same with the pages of a column, if the file tells them.
fn with_page_index(
    metadata: ParquetMetaData,
    column: usize,
    source: &Source,
) -> Result<ParquetMetaData, Fault> {
    let mut reader = ParquetMetaDataReader::new_with_metadata(metadata)
        .with_column_index_policy(PageIndexPolicy::Skip)
        .with_offset_index_policy(PageIndexPolicy::Optional)
        .with_page_index_mask(ColumnChunkMask::columns([column]));
    reader.read_page_indexes(source)?;
    Ok(reader.finish()?)
}

/// The part of a column that is in a row group; an error if it lies in another file.
fn own(group: &RowGroupMetaData, column: usize) -> Result<&ColumnChunkMetaData, Fault> {
    let part = group.columns().get(column);
    let part = part.ok_or_else(|| Fault::damaged("a row group without one of its columns"))?;
    match part.file_path() {
        None => Ok(part),
        Some(_) => Err(Fault::damaged("a column that lies in another file")),
    }
}

/// Appends the numbers of a column.
fn read_numbers(
    source: &Source,
    column: &ColumnDescPtr,
    chunk: &Chunk,
    numbers: &mut Vec<i64>,
) -> Result<(), Fault> {
    for page in 0..chunk.pages.len() {
        if column.physical_type() == Type::INT32 {
            let found = page::read::<Int32Type>(source, column, chunk, page)?;
            numbers.extend(found.into_iter().map(|number| number.map_or(NO_NUMBER, i64::from)));
        } else {
            let found = page::read::<Int64Type>(source, column, chunk, page)?;
            numbers.extend(found.into_iter().map(|number| number.unwrap_or(NO_NUMBER)));
        }
    }
    Ok(())
}
