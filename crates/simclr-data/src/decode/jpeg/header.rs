//! What stands before the scan of a JPEG (ITU-T T.81, annex B).

use image::metadata::Orientation;

use super::huffman::HuffmanTable;

/// Names of segments, the byte after 0xff.
mod marker {
    pub(super) const BASELINE: u8 = 0xc0;
    pub(super) const SEQUENTIAL: u8 = 0xc1;
    pub(super) const HUFFMAN_TABLES: u8 = 0xc4;
    pub(super) const START_OF_SCAN: u8 = 0xda;
    pub(super) const QUANTISATION_TABLES: u8 = 0xdb;
    pub(super) const RESTART_INTERVAL: u8 = 0xdd;
    pub(super) const APPLICATION: std::ops::RangeInclusive<u8> = 0xe0..=0xef;
    pub(super) const EXIF: u8 = 0xe1;
    pub(super) const ADOBE: u8 = 0xee;
    pub(super) const COMMENT: u8 = 0xfe;
}

/// The place of coefficient k of a block, in the order of the file: row times 8 plus column.
pub(super) const ZIGZAG: [u8; 64] = {
    let mut places = [0; 64];
    let (mut row, mut column, mut k) = (0_u8, 0_u8, 0);
    while k < 64 {
        places[k] = 8 * row + column;
        // Up and to the right on even diagonals, down and to the left on odd ones, along the edge between them.
        if (row + column).is_multiple_of(2) {
            if column == 7 {
                row += 1;
            } else {
                column += 1;
                row = row.saturating_sub(1);
            }
        } else if row == 7 {
            column += 1;
        } else {
            row += 1;
            column = column.saturating_sub(1);
        }
        k += 1;
    }
    places
};

/// One of the colours: gray, or brightness and two differences of colour.
pub(super) struct Component {
    id: u8,
    /// Blocks of a unit (MCU) across and down, 1 or 2.
    pub(super) across: usize,
    pub(super) down: usize,
    quantisation: usize,
    dc: usize,
    ac: usize,
}

/// A sequential JPEG of 8 bits, gray or YCbCr, of one scan.
pub(super) struct Header {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) components: Vec<Component>,
    /// Units between two restart markers; 0 for none.
    pub(super) restart_interval: usize,
    pub(super) orientation: Orientation,
    /// Where the bits of the scan begin in the file.
    pub(super) scan: usize,
    quantisation: [Option<[u16; 64]>; 4],
    dc: [Option<HuffmanTable>; 4],
    ac: [Option<HuffmanTable>; 4],
}

impl Header {
    /// `None` for any other JPEG, and for one with a fault.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut header = Self {
            width: 0,
            height: 0,
            components: Vec::new(),
            restart_interval: 0,
            orientation: Orientation::NoTransforms,
            scan: 0,
            quantisation: [None; 4],
            dc: [const { None }; 4],
            ac: [const { None }; 4],
        };
        let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
        loop {
            let &[0xff, marker, ref after @ ..] = rest else { return None };
            if marker == 0xff {
                rest = &rest[1..];
                continue;
            }
            let (length, after) = after.split_first_chunk()?;
            let length = usize::from(u16::from_be_bytes(*length)).checked_sub(2)?;
            let (segment, after) = after.split_at_checked(length)?;
            rest = after;
            match marker {
                marker::BASELINE | marker::SEQUENTIAL => header.read_frame(segment)?,
                marker::HUFFMAN_TABLES => header.read_huffman_tables(segment)?,
                marker::QUANTISATION_TABLES => header.read_quantisation_tables(segment)?,
                marker::RESTART_INTERVAL => {
                    let &[high, low] = segment else { return None };
                    header.restart_interval = u16::from_be_bytes([high, low]).into();
                }
                marker::START_OF_SCAN => {
                    header.read_scan(segment)?;
                    header.scan = bytes.len() - rest.len();
                    return Some(header);
                }
                marker::EXIF => {
                    if let Some(exif) = segment.strip_prefix(b"Exif\0\0") {
                        header.orientation =
                            Orientation::from_exif_chunk(exif).unwrap_or(Orientation::NoTransforms);
                    }
                }
                // Version 2, flags 4, transform 1: that of YCbCr is 1.
                marker::ADOBE if segment.starts_with(b"Adobe") => {
                    (segment.get(11) == Some(&1)).then_some(())?;
                }
                marker::COMMENT => {}
                marker if marker::APPLICATION.contains(&marker) => {}
                _ => return None,
            }
        }
    }

    fn read_frame(&mut self, segment: &[u8]) -> Option<()> {
        let &[8, y1, y0, x1, x0, count, ref components @ ..] = segment else { return None };
        if !self.components.is_empty() || components.len() != 3 * usize::from(count) {
            return None;
        }
        self.height = u16::from_be_bytes([y1, y0]).into();
        self.width = u16::from_be_bytes([x1, x0]).into();
        if self.width == 0 || self.height == 0 {
            return None;
        }
        for &[id, sampling, quantisation] in components.as_chunks().0 {
            let (across, down) = ((sampling >> 4).into(), (sampling & 15).into());
            let quantisation = quantisation.into();
            self.components.push(Component { id, across, down, quantisation, dc: 0, ac: 0 });
        }
        match self.components.as_mut_slice() {
            // The blocks of one component come one by one, whatever its sampling says.
            [gray] => (gray.across, gray.down) = (1, 1),
            [red, green, blue] if [red.id, green.id, blue.id] == *b"RGB" => return None,
            [_, _, _] => {}
            _ => return None,
        }
        let are_known = |c: &Component| (1..=2).contains(&c.across) && (1..=2).contains(&c.down);
        self.components.iter().all(are_known).then_some(())
    }

    fn read_huffman_tables(&mut self, mut rest: &[u8]) -> Option<()> {
        while let Some((&[class_and_place, ref counts @ ..], after)) =
            rest.split_first_chunk::<17>()
        {
            let counts: &[u8; 16] = counts.first_chunk()?;
            let symbols = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, after) = after.split_at_checked(symbols)?;
            let place = usize::from(class_and_place & 15);
            let tables = match class_and_place >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return None,
            };
            let table = HuffmanTable::new(counts, symbols)?;
            let table = if class_and_place >> 4 == 1 { table.of_pairs() } else { table };
            *tables.get_mut(place)? = Some(table);
            rest = after;
        }
        rest.is_empty().then_some(())
    }

    fn read_quantisation_tables(&mut self, mut rest: &[u8]) -> Option<()> {
        while let Some((&precision_and_place, after)) = rest.split_first() {
            let bytes = match precision_and_place >> 4 {
                0 => 1,
                1 => 2,
                _ => return None,
            };
            let (steps, after) = after.split_at_checked(64 * bytes)?;
            let mut table = [0; 64];
            for (step, &place) in steps.chunks_exact(bytes).zip(&ZIGZAG) {
                table[usize::from(place)] =
                    step.iter().fold(0, |step, &byte| step << 8 | u16::from(byte));
            }
            *self.quantisation.get_mut(usize::from(precision_and_place & 15))? = Some(table);
            rest = after;
        }
        Some(())
    }

    /// The head of a scan of all components and all coefficients.
    fn read_scan(&mut self, segment: &[u8]) -> Option<()> {
        let (&count, rest) = segment.split_first()?;
        let (components, rest) = rest.split_at_checked(2 * usize::from(count))?;
        if components.len() != 2 * self.components.len()
            || components.is_empty()
            || rest != [0, 63, 0]
        {
            return None;
        }
        for (component, &[id, tables]) in self.components.iter_mut().zip(components.as_chunks().0) {
            if component.id != id {
                return None;
            }
            (component.dc, component.ac) = ((tables >> 4).into(), (tables & 15).into());
        }
        let are_there = |component| self.tables(component).is_some();
        self.components.iter().all(are_there).then_some(())
    }

    /// The tables of a component: its quantisation, row by row; those of its first coefficients; and of all others.
    pub(super) fn tables(
        &self,
        component: &Component,
    ) -> Option<(&[u16; 64], &HuffmanTable, &HuffmanTable)> {
        let steps = self.quantisation.get(component.quantisation)?.as_ref()?;
        let dc = self.dc.get(component.dc)?.as_ref()?;
        Some((steps, dc, self.ac.get(component.ac)?.as_ref()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_run_along_the_diagonals() {
        assert_eq!(ZIGZAG[..11], [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32]);
        assert_eq!(ZIGZAG[56..], [53, 60, 61, 54, 47, 55, 62, 63]);
        let mut sorted = ZIGZAG;
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(place, &found)| place == usize::from(found)));
    }
}
