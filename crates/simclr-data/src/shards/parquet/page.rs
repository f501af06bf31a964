//! From the bytes of a page to its values.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use parquet::{
    basic::Compression,
    column::reader::ColumnReaderImpl,
    data_type::DataType,
    file::{metadata::ColumnChunkMetaData, reader::SerializedPageReader},
    schema::types::ColumnDescPtr,
};

use super::{
    chunk::{Chunk, Place},
    fault::Fault,
    page_header::{PageHeader, PageKind},
    source::Source,
};

/// The largest page that is read, in bytes without compression.
const MOST_BYTES: u32 = 512 << 20;
/// Snappy copies 64 bytes by three at best.
const MOST_SHRUNK: u64 = 64 / 3 + 1;

/// The values of a page: one a row, or null. Values of bytes share the page's memory.
pub(super) fn read<T: DataType>(
    source: &Source,
    column: &ColumnDescPtr,
    chunk: &Chunk,
    page: usize,
) -> Result<Vec<Option<T::T>>, Fault> {
    let place = chunk.pages[page].place;
    let (bytes, header) = load(source, chunk.codec, place, PageKind::Data)?;
    let (bytes, dictionary) = match chunk.dictionary {
        _ if !header.needs_dictionary => (bytes, 0),
        None => return Err(Fault::damaged("a page of places in a dictionary that there isn't")),
        Some(place) => {
            let (dictionary, _) = load(source, chunk.codec, place, PageKind::Dictionary)?;
            let mut both = BytesMut::with_capacity(dictionary.len() + bytes.len());
            both.extend_from_slice(&dictionary);
            both.extend_from_slice(&bytes);
            (both.freeze(), dictionary.len())
        }
    };
    let rows = chunk.rows_of(page) as usize;
    let signed = |length: usize| length.cast_signed() as i64;
    // What the crate's reader needs to know of a column that has these pages alone.
    let only = ColumnChunkMetaData::builder(Arc::clone(column))
        .set_compression(chunk.codec)
        .set_dictionary_page_offset((dictionary > 0).then_some(0))
        .set_data_page_offset(signed(dictionary))
        .set_total_compressed_size(signed(bytes.len()))
        .set_num_values(signed(rows))
        .build()?;
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let found = Fault::instead_of_a_panic(|| {
        let pages = SerializedPageReader::new(Arc::new(bytes), &only, rows, None)?;
        let mut reader = ColumnReaderImpl::<T>::new(Arc::clone(column), Box::new(pages));
        // A page with more rows than it should have is damaged, too.
        Ok(reader.read_records(rows + 1, Some(&mut levels), None, &mut values)?.0)
    })?;
    if found != rows {
        return Err(Fault::damaged(format!("{found} rows in a page of {rows}")));
    }
    if column.max_def_level() == 0 {
        return Ok(values.into_iter().map(Some).collect());
    }
    let mut values = values.into_iter();
    let value = |level| if level == column.max_def_level() { values.next() } else { None };
    Ok(levels.into_iter().map(value).collect())
}

/// The bytes of a page with its header, whose sizes are believable.
fn load(
    source: &Source,
    codec: Compression,
    place: Place,
    expected: PageKind,
) -> Result<(Bytes, PageHeader), Fault> {
    if place.length > MOST_BYTES {
        return Err(too_large(place.length));
    }
    let bytes = source.read(place.at, place.length.into())?;
    let header = PageHeader::of(&bytes)
        .map_err(|_| Fault::damaged(format!("no header of a page at byte {}", place.at)))?;
    if header.kind != expected {
        return Err(Fault::damaged(format!("another page at byte {} than it should be", place.at)));
    }
    let most = match codec {
        Compression::UNCOMPRESSED => header.compressed.into(),
        _ => u64::from(header.compressed) * MOST_SHRUNK,
    };
    if header.length() != u64::from(place.length) || u64::from(header.uncompressed) > most {
        return Err(Fault::damaged(format!(
            "a page at byte {} that lies about its size",
            place.at
        )));
    }
    if header.uncompressed > MOST_BYTES {
        return Err(too_large(header.uncompressed));
    }
    Ok((bytes, header))
}

fn too_large(bytes: u32) -> Fault {
    Fault::damaged(format!("a page of {bytes} bytes, and at most {MOST_BYTES} are read"))
}
