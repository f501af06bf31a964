//! Many thumbnails in one picture: as a thousand pictures they would make the page several times as large.

use image::{RgbImage, imageops};

use crate::error::ReportError;
use crate::images::picture::Picture;

/// JPEG's quality for thumbnails, 1 to 100.
const QUALITY: u8 = 78;

/// Square thumbnails of one size, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SpriteSheet {
    pub(crate) picture: Picture,
    /// Side of a thumbnail in pixels.
    pub(crate) tile: u32,
    /// Thumbnails in a row.
    pub(crate) columns: u32,
}

impl SpriteSheet {
    /// A sheet of thumbnails that are `tile` x `tile` each.
    pub(crate) fn new(thumbnails: &[RgbImage], tile: u32) -> Result<Self, ReportError> {
        let count = thumbnails.len().max(1);
        let columns = count.isqrt() + usize::from(count.isqrt().pow(2) < count);
        let rows = count.div_ceil(columns);
        let mut sheet = RgbImage::new(columns as u32 * tile, rows as u32 * tile);
        for (index, thumbnail) in thumbnails.iter().enumerate() {
            let place = |index: usize| i64::from(tile * index as u32);
            imageops::replace(
                &mut sheet,
                thumbnail,
                place(index % columns),
                place(index / columns),
            );
        }
        let picture = Picture::with_quality(&sheet, QUALITY)?;
        Ok(Self { picture, tile, columns: columns as u32 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_is_as_square_as_its_thumbnails_fill_it() {
        for (count, columns, rows) in [(0, 1, 1), (1, 1, 1), (5, 3, 2), (9, 3, 3), (10, 4, 3)] {
            let sheet = SpriteSheet::new(&vec![RgbImage::new(8, 8); count], 8).unwrap();
            let size = (sheet.picture.width, sheet.picture.height);
            assert_eq!((sheet.columns, size), (columns, (columns * 8, rows * 8)), "{count}");
        }
    }
}
