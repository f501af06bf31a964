//! Which of a scan's units (MCUs) are decoded.

use std::ops::Range;

use super::{Window, header::Header};

/// The units that a window needs.
pub(super) struct Units {
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
    /// Units in a row of the image.
    pub(super) across: usize,
    /// Blocks of a unit across and down, of the component that has most.
    pub(super) blocks: [usize; 2],
    /// Sides of the image as stored, in pixels.
    pub(super) sides: [usize; 2],
    /// Of the resolution.
    pub(super) divisor: usize,
}

impl Units {
    pub(super) fn of(header: &Header, window: &Window, divisor: usize) -> Option<Self> {
        let across = header.components.iter().map(|component| component.across).max()?;
        let down = header.components.iter().map(|component| component.down).max()?;
        // Colours are upsampled from up to two pixels beyond the window.
        let range = |wanted: &Range<usize>, side: usize, blocks: usize| {
            let unit = 8 * blocks / divisor;
            let end = (wanted.end + 2).min(side.div_ceil(divisor));
            wanted.start.saturating_sub(2) / unit..end.div_ceil(unit)
        };
        Some(Self {
            columns: range(&window.columns, header.width, across),
            rows: range(&window.rows, header.height, down),
            across: header.width.div_ceil(8 * across),
            blocks: [across, down],
            sides: [header.width, header.height],
            divisor,
        })
    }

    /// The rows of pixels that can be written once the units of `row` are there: up to the last but one of these, which is
    /// upsampled from the next.
    pub(super) fn rows_after(&self, row: usize, window: &Window) -> Range<usize> {
        let unit = 8 * self.blocks[1] / self.divisor;
        let [first, end] = [row, row + 1].map(|row| (row * unit).saturating_sub(1));
        let end = if row + 1 == self.rows.end { usize::MAX } else { end };
        first.max(window.rows.start)..end.min(window.rows.end)
    }
}
