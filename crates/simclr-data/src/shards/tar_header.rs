//! The 512 bytes before each member of a tar archive.

/// Bytes of a header, and of the blocks that an archive consists of.
pub(crate) const BLOCK: usize = 512;

/// What a header says of its member.
#[derive(Debug, PartialEq)]
pub(super) struct TarHeader {
    /// The path, with its prefix.
    pub(super) name: Vec<u8>,
    pub(super) size: u64,
    pub(super) kind: MemberKind,
    /// The CRC32C of the member's bytes, where our packer wrote the archive.
    pub(super) data_crc: Option<u32>,
}

/// What follows a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberKind {
    File,
    Folder,
    /// A hard or a symbolic link.
    Link,
    Sparse,
    /// GNU's long name of the next member.
    LongName,
    /// Pax records on the next member.
    Pax,
    /// Says nothing of a file: pax records on all members, GNU's long target of a link.
    Note,
    /// A device, a pipe, or what no standard names.
    Other,
}

/// How the packer marks its members: the owner's name, and the beginning of the group's name.
pub(crate) const PACKED_BY: &[u8] = b"simclr";
pub(crate) const CRC_PREFIX: &[u8] = b"crc32c-";

impl TarHeader {
    /// Reads a header.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn parse(bytes: &[u8; BLOCK]) -> Result<Self, String> {
        if !has_checksum(bytes) {
            return Err("expected a tar header, found bytes with a wrong checksum".to_owned());
        }
        let size = number(&bytes[124..136]).ok_or_else(|| {
            "expected a size in the tar header, found none that is legal".to_owned()
        })?;
        let name = until_nul(&bytes[..100]);
        let kind = match bytes[156] {
            // Before POSIX, a folder was a file whose name ends so.
            0 if name.ends_with(b"/") => MemberKind::Folder,
            0 | b'0' | b'7' => MemberKind::File,
            b'1' | b'2' => MemberKind::Link,
            b'5' => MemberKind::Folder,
            b'L' => MemberKind::LongName,
            b'x' => MemberKind::Pax,
            b'g' | b'K' => MemberKind::Note,
            b'S' => MemberKind::Sparse,
            _ => MemberKind::Other,
        };
        let prefix = until_nul(&bytes[345..500]);
        // GNU's own format has other fields in place of the prefix.
        let name = if &bytes[257..263] == b"ustar\0" && !prefix.is_empty() {
            [prefix, b"/", name].concat()
        } else {
            name.to_vec()
        };
        Ok(Self { name, size, kind, data_crc: data_crc(bytes) })
    }

    /// Bytes after the header that belong to the member, in whole blocks; `None` beyond 64 bits.
    pub(super) fn padded_size(&self) -> Option<u64> {
        let size = match self.kind {
            // Whatever their size says, nothing follows them.
            MemberKind::Link | MemberKind::Folder => 0,
            _ => self.size,
        };
        size.checked_next_multiple_of(BLOCK as u64)
    }
}

/// Whether a file's first bytes are a header.
pub(super) fn is_header(beginning: &[u8]) -> bool {
    <&[u8; BLOCK]>::try_from(beginning).is_ok_and(has_checksum)
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Whether the header's sum is what it says: of bytes without sign, or with it as some old systems computed it.
fn has_checksum(bytes: &[u8; BLOCK]) -> bool {
    let Some(expected) = number(&bytes[148..156]).and_then(|sum| i64::try_from(sum).ok()) else {
        return false;
    };
    let sums = |value: fn(u8) -> i64| -> i64 {
        let field = 148..156;
        let value = |(at, &byte)| if field.contains(&at) { 32 } else { value(byte) };
        bytes.iter().enumerate().map(value).sum()
    };
    expected == sums(i64::from) || expected == sums(|byte| i64::from(byte.cast_signed()))
}

/// A number in octal digits or, if its first bit is set, in base 256; `None` for others, and for negative ones. No
/// digits at all are zero.
fn number(field: &[u8]) -> Option<u64> {
    if let [first @ 0x80..=0xff, rest @ ..] = field {
        // Two's complement: with the second bit, it is negative.
        if first & 0x40 != 0 {
            return None;
        }
        return rest.iter().try_fold(u64::from(first & 0x3f), |value, &byte| {
            Some(value.checked_mul(256)? | u64::from(byte))
        });
    }
    let text = str::from_utf8(until_nul(field)).ok()?.trim_matches(' ');
    if text.is_empty() {
        return Some(0);
    }
    // `from_str_radix` takes a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    u64::from_str_radix(text, 8).ok().filter(|_| digits)
}

fn data_crc(bytes: &[u8; BLOCK]) -> Option<u32> {
    let [owner, group] = [&bytes[265..297], &bytes[297..329]].map(until_nul);
    let digits = group.strip_prefix(CRC_PREFIX).filter(|digits| digits.len() == 8)?;
    let digits = str::from_utf8(digits).ok().filter(|_| owner == PACKED_BY)?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A header of a file called `a`, with these bytes in its field for the size, and its sum.
    fn with_size(size: &[u8; 12]) -> [u8; BLOCK] {
        let mut bytes = [0; BLOCK];
        bytes[0] = b'a';
        bytes[124..136].copy_from_slice(size);
        bytes[148..156].fill(b' ');
        bytes[156] = b'0';
        bytes[257..263].copy_from_slice(b"ustar\0");
        let sum: u32 = bytes.iter().copied().map(u32::from).sum();
        bytes[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        bytes
    }

    #[test]
    fn sizes_are_octal_or_base_256() {
        let size = |field| TarHeader::parse(&with_size(field)).map(|header| header.size);
        assert_eq!(size(b"00000001750\0"), Ok(1000));
        assert_eq!(size(b"       1750 "), Ok(1000));
        assert_eq!(size(b"777777777777"), Ok((1 << 36) - 1));
        assert_eq!(size(b"\x80\0\0\0\0\0\0\x02\0\0\0\0"), Ok(1 << 33));
        assert_eq!(size(&[0; 12]), Ok(0));
        for hostile in [
            b"-0000000001\0",
            b"+0000000001\0",
            b"0000000000x\0",
            b"9999999999\0\0",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\xc3\xa9000000000\0",
        ] {
            assert!(size(hostile).is_err(), "{hostile:?}");
        }
    }

    #[test]
    fn a_size_at_the_end_of_64_bits_has_no_padding() {
        let header = TarHeader::parse(&with_size(b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff"));
        let header = header.unwrap();
        assert_eq!((header.size, header.padded_size()), (u64::MAX, None));
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_nothing_panics(bytes in prop::collection::vec(any::<u8>(), BLOCK)) {
            let mut bytes: [u8; BLOCK] = bytes.try_into().unwrap();
            let _ = TarHeader::parse(&bytes);
            bytes[148..156].fill(b' ');
            let sum: u32 = bytes.iter().copied().map(u32::from).sum();
            bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            if let Ok(header) = TarHeader::parse(&bytes) {
                let _ = header.padded_size();
            }
        }
    }
}
