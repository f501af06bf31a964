//! Members of a tar archive, as they are written.

use crate::shards::tar_header::{BLOCK, CRC_PREFIX, PACKED_BY};

/// The most bytes of a name that a header has room for.
const SHORT_NAME: usize = 100;

/// The header of a member, after pax records on a name that it has no room for. The last 512 bytes are the header itself.
pub(super) fn header(name: &str, size: u64, crc: Option<u32>) -> Vec<u8> {
    if name.len() <= SHORT_NAME {
        return block(name.as_bytes(), size, b'0', crc).to_vec();
    }
    let records = record(name);
    let mut bytes = block(b"pax", records.len() as u64, b'x', None).to_vec();
    bytes.extend(records.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    // The name, as far as there is room for it, is for programs that do not know pax.
    let mut length = SHORT_NAME;
    while !name.is_char_boundary(length) {
        length -= 1;
    }
    bytes.extend(block(&name.as_bytes()[..length], size, b'0', crc));
    bytes
}

/// A member with its header and the zeros after it.
pub(super) fn whole_member(name: &str, bytes: &[u8]) -> Vec<u8> {
    [&header(name, bytes.len() as u64, None), bytes, padding(bytes.len())].concat()
}

/// Zeros after a member of this size.
pub(super) fn padding(size: usize) -> &'static [u8] {
    &[0; BLOCK][..size.next_multiple_of(BLOCK) - size]
}

fn block(name: &[u8], size: u64, kind: u8, crc: Option<u32>) -> [u8; BLOCK] {
    let mut bytes = [0; BLOCK];
    bytes[..name.len()].copy_from_slice(name);
    let mut field = |at: usize, text: &[u8]| bytes[at..at + text.len()].copy_from_slice(text);
    field(100, b"0000644\0");
    field(108, b"0000000\0");
    field(116, b"0000000\0");
    // Eight gigabytes are what digits have room for; larger images are none.
    field(124, format!("{size:011o}\0").as_bytes());
    field(136, b"00000000000\0");
    field(148, b"        ");
    field(156, &[kind]);
    field(257, b"ustar\x0000");
    field(265, PACKED_BY);
    if let Some(crc) = crc {
        field(297, CRC_PREFIX);
        field(297 + CRC_PREFIX.len(), format!("{crc:08x}").as_bytes());
    }
    let sum: u32 = bytes.iter().copied().map(u32::from).sum();
    bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    bytes
}

/// The pax record of a path, whose own length is part of what it counts.
fn record(path: &str) -> String {
    let rest = format!(" path={path}\n");
    let mut length = rest.len();
    loop {
        let record = format!("{length}{rest}");
        if record.len() == length {
            return record;
        }
        length = record.len();
    }
}
