//! The scan of a JPEG, row of units (MCUs) by row.

use pulp::{Arch, Simd, WithSimd};

use super::Window;
use super::band::Band;
use super::header::{Component, Header};
use super::huffman::{Bits, HuffmanTable, unstuffed};
use super::inverse_dct::{Blocks, Factors, InverseDct, LANES};
use super::picture::Picture;
use super::units::Units;

const END_OF_IMAGE: u8 = 0xd9;

/// See [`Jpeg::decode`](super::Jpeg::decode).
pub(super) fn decode(
    header: &Header,
    scan: &[u8],
    window: &Window,
    divisor: usize,
) -> Option<Vec<u8>> {
    let (bytes, starts, END_OF_IMAGE) = unstuffed(scan)? else { return None };
    let units = Units::of(header, window, divisor)?;
    let mut readers = Vec::new();
    let mut bands = Vec::new();
    for component in &header.components {
        let band = Band::new(component, &units);
        readers.push(BlockReader::new(header, component, band.side())?);
        bands.push(band);
    }
    let mut picture = Picture::new(bands, window);
    let mut intervals = Intervals::new(header.restart_interval, &bytes, &starts);
    for row in 0..units.rows.end {
        let (intervals, readers) = (&mut intervals, &mut readers);
        let bands = &mut picture.bands;
        let arch = picture.arch;
        arch.dispatch(UnitsOfRow { units: &units, row, intervals, readers, bands, arch })?;
        if row >= units.rows.start {
            picture.write_rows(units.rows_after(row, window));
            picture.bands.iter_mut().for_each(Band::go_on);
        }
    }
    Some(picture.out)
}

/// Reads a row of units.
struct UnitsOfRow<'a, 'b> {
    units: &'a Units,
    row: usize,
    intervals: &'a mut Intervals<'b>,
    readers: &'a mut [BlockReader<'b>],
    bands: &'a mut [Band],
    arch: Arch,
}

impl WithSimd for UnitsOfRow<'_, '_> {
    type Output = Option<()>;

    /// Bits are shifted by what was just read, for which newer processors have instructions.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<()> {
        let Self { units, row, intervals, readers, bands, arch } = self;
        for column in 0..units.across {
            if intervals.begin_unit()? {
                for reader in &mut *readers {
                    reader.before = 0;
                }
            }
            let lies_inside = row >= units.rows.start && units.columns.contains(&column);
            let place = lies_inside.then(|| column - units.columns.start);
            for (reader, band) in readers.iter_mut().zip(&mut *bands) {
                reader.read_unit(&mut intervals.bits, place)?;
                if let Some(place) = place {
                    reader.transform(arch, place, column + 1 == units.columns.end, band);
                }
            }
        }
        intervals.check()
    }
}

/// Reads the blocks of one component, and gathers those that are transformed at once.
struct BlockReader<'a> {
    /// Of first coefficients, and of all others.
    tables: [&'a HuffmanTable; 2],
    factors: Factors,
    across: usize,
    /// For each row of blocks in a unit.
    gathered: Vec<Blocks>,
    /// Blocks outside the window.
    unwanted: Blocks,
    /// The first coefficient of the block before.
    before: i16,
}

impl<'a> BlockReader<'a> {
    fn new(header: &'a Header, component: &Component, side: usize) -> Option<Self> {
        let (steps, dc, ac) = header.tables(component)?;
        Some(Self {
            tables: [dc, ac],
            factors: Factors::new(steps, side),
            across: component.across,
            gathered: (0..component.down).map(|_| Blocks::new()).collect(),
            unwanted: Blocks::new(),
            before: 0,
        })
    }

    /// Reads the blocks of one unit: the one at `place` within the window, or one outside.
    #[inline(always)]
    fn read_unit(&mut self, bits: &mut Bits, place: Option<usize>) -> Option<()> {
        for gathered in &mut self.gathered {
            for block in 0..self.across {
                let lane = place.map_or(0, |place| (place * self.across + block) % LANES);
                let blocks = if place.is_some() { &mut *gathered } else { &mut self.unwanted };
                let mut block = blocks.lane(lane);
                let difference = bits.block(self.tables, |place, value| block.set(place, value))?;
                self.before = self.before.wrapping_add(difference);
                block.set(0, self.before);
            }
        }
        Some(())
    }

    /// Transforms what is gathered once it is as much as can be transformed at once, or the last of a row.
    fn transform(&mut self, arch: Arch, place: usize, is_last: bool, band: &mut Band) {
        let end = (place + 1) * self.across;
        if !is_last && !end.is_multiple_of(LANES) {
            return;
        }
        let first = (end - 1) / LANES * LANES;
        for (row, blocks) in self.gathered.iter_mut().enumerate() {
            let (side, stride) = (band.side(), band.stride());
            let (factors, out) = (&self.factors, band.blocks(row, first));
            arch.dispatch(InverseDct { blocks, factors, side, out, stride });
            blocks.clear();
        }
    }
}

/// The parts of a scan between restart markers.
struct Intervals<'a> {
    /// Units of an interval; 0 if there is but one.
    length: usize,
    bytes: &'a [u8],
    starts: &'a [usize],
    /// Units of this interval that are still to come.
    left: usize,
    bits: Bits<'a>,
}

impl<'a> Intervals<'a> {
    fn new(length: usize, bytes: &'a [u8], starts: &'a [usize]) -> Self {
        let mut intervals = Self { length, bytes, starts, left: 0, bits: Bits::new(bytes) };
        if length == 0 {
            intervals.left = usize::MAX;
        }
        intervals
    }

    /// Whether an interval begins with the next unit, other than the only one; `None` if there is none.
    #[inline(always)]
    fn begin_unit(&mut self) -> Option<bool> {
        let begins = self.left == 0;
        if begins {
            self.check()?;
            let (&start, rest) = self.starts.split_first()?;
            let end = rest.first().copied().unwrap_or(self.bytes.len());
            self.bits = Bits::new(self.bytes.get(start..end)?);
            (self.starts, self.left) = (rest, self.length);
        }
        self.left -= 1;
        Some(begins)
    }

    /// `None` if more was read than there is.
    fn check(&self) -> Option<()> {
        (!self.bits.are_overrun()).then_some(())
    }
}
