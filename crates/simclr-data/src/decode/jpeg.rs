//! Sequential JPEGs, decoded only where and as finely as they are needed.
//!
//! Most photos are of this kind: 8 bits, gray or YCbCr, one scan. All others, and those with a fault, are left to the decoder of
//! [`image`]. More than half of the time goes into the codes of variable length, which must be read from the first to the last row
//! that is needed. All else is done for the needed columns and rows alone, at the needed resolution.

#![expect(
    clippy::inline_always,
    reason = "what is called within vector code is compiled with its instructions only if it is inlined"
)]
#![expect(
    clippy::cast_possible_wrap,
    reason = "bits of at most 16, and sides of at most 65,535 pixels"
)]

mod band;
mod color;
mod header;
mod huffman;
mod inverse_dct;
mod picture;
mod scan;
mod units;
mod upsampling;

use std::ops::Range;

use image::{DynamicImage, RgbImage};

use self::header::Header;
use super::turn::Turn;
use crate::{ImagePart, PartialImage};

/// A JPEG of this kind whose head was read.
pub(super) struct Jpeg<'a> {
    header: Header,
    bytes: &'a [u8],
}

/// Columns and rows of the stored image, at the resolution that it is decoded at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Window {
    columns: Range<usize>,
    rows: Range<usize>,
}

impl<'a> Jpeg<'a> {
    /// Reads the head of the file; `None` if it isn't of this kind.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        Some(Self { header: Header::read(bytes)?, bytes })
    }

    /// Width and height of the upright image, from 1 on.
    pub(super) fn upright_sides(&self) -> [u32; 2] {
        let Header { width, height, orientation, .. } = self.header;
        Turn::of(orientation).swapped([width as u32, height as u32])
    }

    /// Decodes a part of the image, upright; all of it if the part is empty or doesn't lie inside. `None` if the scan has a fault.
    pub(super) fn part(&self, part: ImagePart) -> Option<PartialImage> {
        let turn = Turn::of(self.header.orientation);
        let upright = self.upright_sides();
        let asked = [[part.x, part.width], [part.y, part.height]];
        let lies_inside = |axis: usize| {
            let [start, length] = asked[axis].map(u64::from);
            length > 0 && start + length <= u64::from(upright[axis])
        };
        let lies_inside = lies_inside(0) && lies_inside(1);
        let divisor = part.resolution.divisor();
        // Along the upright axes: the pixels of the stored image at the resolution.
        let range = |axis: usize| {
            let side = i64::from(upright[axis]);
            let [start, length] =
                if lies_inside { asked[axis] } else { [0, upright[axis]] }.map(i64::from);
            let start = turn.stored_start(axis, [start, start + length], side);
            start as usize / divisor as usize
                ..((start + length) as usize).div_ceil(divisor as usize)
        };
        let ranges = [range(0), range(1)];
        let corner = [0, 1].map(|axis| {
            let ends =
                [ranges[axis].start, ranges[axis].end].map(|end| end as i64 * i64::from(divisor));
            let side = i64::from(upright[axis]);
            turn.stored_start(axis, ends, side)
        });
        let [columns, rows] = turn.swapped(ranges);
        let (width, height) = (columns.len() as u32, rows.len() as u32);
        let pixels = self.decode(&Window { columns, rows }, divisor as usize)?;
        let mut image = DynamicImage::ImageRgb8(RgbImage::from_raw(width, height, pixels)?);
        image.apply_orientation(self.header.orientation);
        Some(PartialImage::new(image.into_rgb8(), corner, part.resolution))
    }

    /// The pixels of `window`, interleaved RGB, of the image at one `divisor`th of its resolution: 1, 2, 4 or 8, sides rounded up.
    /// `None` if the scan has a fault.
    fn decode(&self, window: &Window, divisor: usize) -> Option<Vec<u8>> {
        scan::decode(&self.header, &self.bytes[self.header.scan..], window, divisor)
    }
}

#[cfg(test)]
mod tests;
