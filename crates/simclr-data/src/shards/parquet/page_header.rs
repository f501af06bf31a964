//! The header of a page, as far as sizes, rows and encodings go.
//!
//! A header is a struct in Thrift's compact protocol (`PageHeader` of the format's `parquet.thrift`). It is read here before anything
//! else is, so that no size in it is trusted with an allocation.

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    Data,
    Dictionary,
    Other,
}

/// The header of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageHeader {
    pub(super) kind: PageKind,
    /// Bytes of the header.
    pub(super) header: u32,
    /// Bytes after the header.
    pub(super) compressed: u32,
    /// Bytes that they become.
    pub(super) uncompressed: u32,
    /// Values, with nulls: of a column that repeats nothing, rows.
    pub(super) values: u32,
    /// Whether the values are places in the dictionary.
    pub(super) needs_dictionary: bool,
}

/// Why there is no header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderFault {
    /// The bytes end within it.
    CutOff,
    Damaged,
}

// The types of the compact protocol.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
const STRUCT: u8 = 12;
/// How deep structs and lists of a header may lie.
const MOST_DEPTH: usize = 16;
/// `PLAIN_DICTIONARY` and `RLE_DICTIONARY`.
const OF_DICTIONARIES: [i64; 2] = [2, 8];

impl PageHeader {
    /// Reads a header at the beginning of `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let mut compact = Compact { rest: bytes };
        let mut sizes = [None; 3];
        // Of a data page, a dictionary, and a data page of the second version: the number of values, and their encoding.
        let mut inner = [[None; 2]; 3];
        compact.fields(0, |compact, id, of| {
            let encoding = match id {
                1..=3 => {
                    sizes[id as usize - 1] = Some(compact.i32(of)?);
                    return Ok(());
                }
                5 => (0, 2),
                7 => (1, 2),
                8 => (2, 4),
                _ => return compact.skip(of, 1),
            };
            if of != STRUCT {
                return Err(HeaderFault::Damaged);
            }
            let (place, encoding) = encoding;
            compact.fields(1, |compact, id, of| {
                match id {
                    1 => inner[place][0] = Some(compact.i32(of)?),
                    id if id == encoding => inner[place][1] = Some(compact.i32(of)?),
                    _ => compact.skip(of, 2)?,
                }
                Ok(())
            })
        })?;
        let size = |value: Option<i64>| {
            value.and_then(|value| u32::try_from(value).ok()).ok_or(HeaderFault::Damaged)
        };
        let [kind, uncompressed, compressed] = sizes;
        let (kind, [values, encoding]) = match kind {
            Some(0) => (PageKind::Data, inner[0]),
            Some(2) => (PageKind::Dictionary, inner[1]),
            Some(3) => (PageKind::Data, inner[2]),
            Some(_) => (PageKind::Other, [Some(0), None]),
            None => return Err(HeaderFault::Damaged),
        };
        Ok(Self {
            kind,
            header: (bytes.len() - compact.rest.len()) as u32,
            compressed: size(compressed)?,
            uncompressed: size(uncompressed)?,
            values: size(values)?,
            needs_dictionary: encoding.is_some_and(|encoding| OF_DICTIONARIES.contains(&encoding)),
        })
    }

    /// Bytes of header and page.
    pub(super) fn length(&self) -> u64 {
        u64::from(self.header) + u64::from(self.compressed)
    }
}

/// Bytes in the compact protocol.
struct Compact<'a> {
    rest: &'a [u8],
}

impl Compact<'_> {
    fn byte(&mut self) -> Result<u8, HeaderFault> {
        let (&first, rest) = self.rest.split_first().ok_or(HeaderFault::CutOff)?;
        self.rest = rest;
        Ok(first)
    }

    fn varint(&mut self) -> Result<u64, HeaderFault> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(HeaderFault::Damaged)
    }

    fn integer(&mut self) -> Result<i64, HeaderFault> {
        let value = self.varint()?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A number that must be called an i32: other readers don't look at what it is called.
    fn i32(&mut self, of: u8) -> Result<i64, HeaderFault> {
        if of == I32 { self.integer() } else { Err(HeaderFault::Damaged) }
    }

    fn pass(&mut self, length: u64) -> Result<(), HeaderFault> {
        let length = usize::try_from(length).map_err(|_| HeaderFault::CutOff)?;
        self.rest = self.rest.get(length..).ok_or(HeaderFault::CutOff)?;
        Ok(())
    }

    /// Calls `read` with the number and the type of each field of a struct.
    fn fields(
        &mut self,
        depth: usize,
        mut read: impl FnMut(&mut Self, i64, u8) -> Result<(), HeaderFault>,
    ) -> Result<(), HeaderFault> {
        if depth > MOST_DEPTH {
            return Err(HeaderFault::Damaged);
        }
        let mut id = 0;
        loop {
            let byte = self.byte()?;
            if byte == 0 {
                return Ok(());
            }
            id = match byte >> 4 {
                0 => self.integer()?,
                further => id.checked_add(i64::from(further)).ok_or(HeaderFault::Damaged)?,
            };
            read(self, id, byte & 0x0f)?;
        }
    }

    /// Passes over a value.
    fn skip(&mut self, of: u8, depth: usize) -> Result<(), HeaderFault> {
        if depth > MOST_DEPTH {
            return Err(HeaderFault::Damaged);
        }
        match of {
            // The type is the value.
            TRUE | FALSE => Ok(()),
            BYTE => self.pass(1),
            I16 | I32 | I64 => self.varint().map(drop),
            DOUBLE => self.pass(8),
            BINARY => {
                let length = self.varint()?;
                self.pass(length)
            }
            LIST | SET => {
                let byte = self.byte()?;
                let count = if byte >> 4 == 15 { self.varint()? } else { u64::from(byte >> 4) };
                (0..count).try_for_each(|_| self.skip_element(byte & 0x0f, depth))
            }
            MAP => {
                let count = self.varint()?;
                let types = if count == 0 { 0 } else { self.byte()? };
                (0..count).try_for_each(|_| {
                    self.skip_element(types >> 4, depth)?;
                    self.skip_element(types & 0x0f, depth)
                })
            }
            STRUCT => self.fields(depth, |compact, _, of| compact.skip(of, depth + 1)),
            _ => Err(HeaderFault::Damaged),
        }
    }

    /// Passes over a value in a list. Each takes at least a byte, so that a count ends with the bytes.
    fn skip_element(&mut self, of: u8, depth: usize) -> Result<(), HeaderFault> {
        if matches!(of, TRUE | FALSE) { self.pass(1) } else { self.skip(of, depth + 1) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A dictionary-coded data page of 3 values, with statistics: 20 bytes that become 300.
    const DATA: &[u8] = &[
        0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x28, 0x2c, 0x15, 0x06, 0x15, 0x10, 0x15, 0x06, 0x15,
        0x06, 0x1c, 0x18, 0x02, b'a', b'b', 0x00, 0x00, 0x00,
    ];

    #[test]
    fn a_header_tells_sizes_rows_and_whether_a_dictionary_is_needed() {
        let header = PageHeader::of(&[DATA, b"the page"].concat()).unwrap();
        let expected = PageHeader {
            kind: PageKind::Data,
            header: DATA.len() as u32,
            compressed: 20,
            uncompressed: 300,
            values: 3,
            needs_dictionary: true,
        };
        assert_eq!((header, header.length()), (expected, 44));
    }

    #[test]
    fn a_header_that_is_cut_off_says_so() {
        for length in 0..DATA.len() {
            assert_eq!(PageHeader::of(&DATA[..length]), Err(HeaderFault::CutOff), "{length}");
        }
    }

    #[test]
    fn negative_sizes_and_endless_nesting_are_refused() {
        let negative = [0x15, 0x00, 0x15, 0x01, 0x15, 0x28, 0x2c, 0x15, 0x06, 0x00, 0x00];
        assert_eq!(PageHeader::of(&negative), Err(HeaderFault::Damaged));
        assert_eq!(PageHeader::of(&[0x1c; 1 << 12]), Err(HeaderFault::Damaged));
        assert_eq!(PageHeader::of(&[0x99; 1 << 12]), Err(HeaderFault::Damaged));
        // A list of 2^63 booleans.
        let list = [&[0x49, 0xf1][..], &[0xff; 8], &[0x7f], &[1; 64]].concat();
        assert_eq!(PageHeader::of(&list), Err(HeaderFault::CutOff));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = PageHeader::of(&bytes);
        }
    }
}
