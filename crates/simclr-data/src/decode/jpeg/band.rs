//! The samples of one component from one row of units.

use pulp::Arch;

use super::header::Component;
use super::inverse_dct::LANES;
use super::units::Units;
use super::upsampling::{Doubled, Rounded, Weighted};

/// Rows of samples: the last one of the units above, and those of the current units.
pub(super) struct Band {
    samples: Vec<u8>,
    stride: usize,
    /// Samples of a block along each side.
    side: usize,
    /// Rows of samples in a unit.
    height: usize,
    /// Where the band lies in the component: the first column, and the first row of the current units.
    left: usize,
    top: usize,
    /// Columns and rows of the component.
    ends: [usize; 2],
    /// Whether there are half as many samples as pixels across and down.
    is_halved: [bool; 2],
    weighted: Vec<u16>,
    /// A row at the resolution of the image.
    row: Vec<u8>,
}

impl Band {
    pub(super) fn new(component: &Component, units: &Units) -> Self {
        let [across, down] = [component.across, component.down];
        let mut is_halved = [across < units.blocks[0], down < units.blocks[1]];
        let mut side = 8 / units.divisor;
        // Instead of upsampling, the same as the next finer resolution.
        if is_halved == [true; 2] && side < 8 {
            side *= 2;
            is_halved = [false; 2];
        }
        let blocks = (units.columns.len() * across).next_multiple_of(LANES);
        let height = down * side;
        let end = |axis: usize| {
            let pixels = units.sides[axis].div_ceil(units.divisor);
            if is_halved[axis] { pixels.div_ceil(2) } else { pixels }
        };
        Self {
            samples: vec![0; (1 + height) * blocks * side],
            stride: blocks * side,
            side,
            height,
            left: units.columns.start * across * side,
            top: units.rows.start * height,
            ends: [end(0), end(1)],
            is_halved,
            weighted: Vec::new(),
            row: Vec::new(),
        }
    }

    pub(super) fn side(&self) -> usize {
        self.side
    }

    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// Where the blocks from `first` on go, of a row of blocks in the current units.
    pub(super) fn blocks(&mut self, row: usize, first: usize) -> &mut [u8] {
        &mut self.samples[(1 + row * self.side) * self.stride + first * self.side..]
    }

    /// Makes room for the next units.
    pub(super) fn go_on(&mut self) {
        self.samples.copy_within(self.height * self.stride.., 0);
        self.top += self.height;
    }

    /// A row of samples, or the nearest one at the component's edge.
    fn samples(&self, row: usize) -> &[u8] {
        let place = row.min(self.ends[1] - 1) + 1 - self.top;
        &self.samples[place * self.stride..][..self.stride]
    }

    /// The samples for the pixels of `row` from column `first` on.
    pub(super) fn row(&mut self, arch: Arch, row: usize, first: usize, len: usize) -> &[u8] {
        let [halved_across, halved_down] = self.is_halved;
        if !halved_across && !halved_down {
            return &self.samples(row)[first - self.left..][..len];
        }
        let (at, beside) = match (halved_down, row.is_multiple_of(2)) {
            (false, _) => (row, None),
            (true, true) => (row / 2, Some((row / 2).saturating_sub(1))),
            (true, false) => (row / 2, Some(row / 2 + 1)),
        };
        let mut weighted = std::mem::take(&mut self.weighted);
        let mut out = std::mem::take(&mut self.row);
        if halved_across {
            let (start, end) = (first / 2, (first + len).div_ceil(2));
            let [begin, stop] = [start.saturating_sub(1), (end + 1).min(self.ends[0])];
            weighted.resize(end - start + 2, 0);
            // At the component's edges, its outermost samples count twice.
            let inner = begin + 1 - start..stop + 1 - start;
            self.weigh(arch, at, beside, begin, &mut weighted[inner.clone()]);
            if inner.start > 0 {
                weighted[0] = weighted[1];
            }
            let last = weighted[inner.end - 1];
            weighted[inner.end..].fill(last);
            out.resize(2 * (end - start), 0);
            arch.dispatch(Doubled { weighted: &weighted, out: &mut out });
        } else {
            weighted.resize(len, 0);
            self.weigh(arch, at, beside, first, &mut weighted);
            out.resize(len, 0);
            arch.dispatch(Rounded { weighted: &weighted, out: &mut out });
        }
        (self.weighted, self.row) = (weighted, out);
        let skipped = if halved_across { first % 2 } else { 0 };
        &self.row[skipped..][..len]
    }

    fn weigh(&self, arch: Arch, at: usize, beside: Option<usize>, first: usize, out: &mut [u16]) {
        let from = |row: usize| &self.samples(row)[first - self.left..][..out.len()];
        let (near, far) = (from(at), beside.map(from));
        arch.dispatch(Weighted { near, far, out });
    }
}
