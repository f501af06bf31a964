//! The pixels that a window asks for.

use std::ops::Range;

use pulp::Arch;

use super::{Window, band::Band, color::ToRgb};

/// Pixels, and the samples that they are made of.
pub(super) struct Picture<'a> {
    pub(super) arch: Arch,
    pub(super) bands: Vec<Band>,
    window: &'a Window,
    /// Interleaved RGB.
    pub(super) out: Vec<u8>,
}

impl<'a> Picture<'a> {
    pub(super) fn new(bands: Vec<Band>, window: &'a Window) -> Self {
        let out = vec![0; 3 * window.columns.len() * window.rows.len()];
        Self { arch: Arch::new(), bands, window, out }
    }

    /// Writes rows of pixels, whose samples are there.
    pub(super) fn write_rows(&mut self, rows: Range<usize>) {
        let Self { arch, bands, window, out } = self;
        let (first, len) = (window.columns.start, window.columns.len());
        for row in rows {
            let out = &mut out[3 * len * (row - window.rows.start)..][..3 * len];
            match bands.as_mut_slice() {
                [y, cb, cr] => {
                    let samples = [y, cb, cr].map(|band| band.row(*arch, row, first, len));
                    arch.dispatch(ToRgb { samples, out });
                }
                [gray, ..] => {
                    for (out, &level) in
                        out.chunks_exact_mut(3).zip(gray.row(*arch, row, first, len))
                    {
                        out.fill(level);
                    }
                }
                [] => {}
            }
        }
    }
}
