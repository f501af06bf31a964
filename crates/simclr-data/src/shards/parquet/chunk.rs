//! Where the pages of a column are.

use std::fs::File;

use parquet::{
    basic::Compression,
    file::{metadata::ColumnChunkMetaData, page_index::offset_index::PageLocation},
};

use super::{
    fault::Fault,
    page_header::{HeaderFault, PageHeader, PageKind},
};
use crate::shards::window::Window;

/// The most rows that a page may have.
const MOST_ROWS: u32 = 1 << 20;
/// Bytes that are read of a page to find its header, at first and at most.
const HEADER_BYTES: [usize; 2] = [4 << 10, 64 << 10];

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: u64,
    /// In bytes, with the header.
    pub(super) length: u32,
}

/// A page of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DataPage {
    pub(super) place: Place,
    /// Its first row, in the row group.
    pub(super) first_row: u32,
}

/// The pages of one column in one row group.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) codec: Compression,
    pub(super) dictionary: Option<Place>,
    /// None is empty.
    pub(super) pages: Vec<DataPage>,
    pub(super) rows: u32,
}

impl Chunk {
    /// As the page index says, in a file of `len` bytes.
    pub(super) fn of_index(
        column: &ColumnChunkMetaData,
        locations: &[PageLocation],
        rows: u32,
        len: u64,
    ) -> Result<Self, Fault> {
        let damaged = |_| Fault::damaged("a page index with a page that is none");
        let mut pages: Vec<DataPage> = Vec::with_capacity(locations.len());
        let mut end = 0;
        for location in locations {
            let at = u64::try_from(location.offset).map_err(damaged)?;
            let length = u32::try_from(location.compressed_page_size).map_err(damaged)?;
            let first_row = u32::try_from(location.first_row_index).map_err(damaged)?;
            let follows = pages.last().map_or(first_row == 0, |last| last.first_row < first_row);
            if at < end || length == 0 || !follows {
                return Err(Fault::damaged("a page index whose pages do not follow each other"));
            }
            end = at.saturating_add(length.into());
            pages.push(DataPage { place: Place { at, length }, first_row });
        }
        if end > len {
            return Err(Fault::damaged("a page that lies behind the end of the file"));
        }
        // Some writers don't say that a dictionary comes first.
        let first = pages.first().map_or(0, |page| page.place.at);
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let start = u64::try_from(start).map_err(damaged)?;
        let dictionary = match first.checked_sub(start) {
            None | Some(0) => None,
            Some(length) => {
                let length = u32::try_from(length)
                    .map_err(|_| Fault::damaged("a dictionary that is none"))?;
                Some(Place { at: start, length })
            }
        };
        Self { codec: column.compression(), dictionary, pages, rows }.checked()
    }

    /// As the headers of the pages say, in a file of `len` bytes.
    pub(super) fn of_headers(
        column: &ColumnChunkMetaData,
        rows: u32,
        file: &File,
        len: u64,
    ) -> Result<Self, Fault> {
        let damaged = |_| Fault::damaged("a column at a place that is none");
        let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
        let mut at = u64::try_from(start).map_err(damaged)?;
        let length = u64::try_from(column.compressed_size()).map_err(damaged)?;
        let end = at.checked_add(length).filter(|&end| end <= len);
        let end = end.ok_or_else(|| Fault::damaged("a column that ends behind the file"))?;
        let mut window = Window::new(file);
        let (mut dictionary, mut pages, mut found) = (None, Vec::new(), 0_u32);
        while at < end {
            let header = header_at(&mut window, at)?;
            let length = header.length();
            let place = Place { at, length: u32::try_from(length).map_err(damaged)? };
            at = at
                .checked_add(length)
                .filter(|&at| at <= end)
                .ok_or_else(|| Fault::damaged("a page that ends behind its column"))?;
            match header.kind {
                PageKind::Dictionary => dictionary = Some(place),
                PageKind::Data if header.values > 0 => {
                    pages.push(DataPage { place, first_row: found });
                    found = found.saturating_add(header.values);
                }
                PageKind::Data | PageKind::Other => {}
            }
        }
        if found != rows {
            return Err(Fault::damaged(format!(
                "{found} rows in the pages of a row group of {rows}"
            )));
        }
        Self { codec: column.compression(), dictionary, pages, rows }.checked()
    }

    fn checked(self) -> Result<Self, Fault> {
        let rows = (0..self.pages.len()).map(|page| self.rows_of(page));
        match rows.max() {
            None if self.rows > 0 => Err(Fault::damaged("a row group without pages")),
            Some(0) => Err(Fault::damaged("a page index with more rows than there are")),
            Some(most) if most > MOST_ROWS => Err(Fault::damaged(format!(
                "{most} rows in a page, and at most {MOST_ROWS} are read"
            ))),
            _ => Ok(self),
        }
    }

    /// The rows of a page; 0 if it would have less than none.
    pub(super) fn rows_of(&self, page: usize) -> u32 {
        let end = self.pages.get(page + 1).map_or(self.rows, |next| next.first_row);
        end.saturating_sub(self.pages[page].first_row)
    }

    /// The page that a row of the row group is in, and its place there.
    pub(super) fn locate(&self, row: u32) -> (usize, usize) {
        let page = self.pages.partition_point(|page| page.first_row <= row).saturating_sub(1);
        (page, (row - self.pages[page].first_row) as usize)
    }
}

/// The header of the page at `at`.
fn header_at(window: &mut Window, at: u64) -> Result<PageHeader, Fault> {
    for length in HEADER_BYTES {
        match PageHeader::of(window.read(at, length)?) {
            Ok(header) => return Ok(header),
            Err(HeaderFault::CutOff) => {}
            Err(HeaderFault::Damaged) => break,
        }
    }
    Err(Fault::damaged(format!("no header of a page at byte {at}")))
}
