//! The members of a tar archive, by its headers alone.

use std::{fs::File, io};

use super::{
    pax::Pax,
    tar_header::{BLOCK, MemberKind, TarHeader},
    window::Window,
};

/// Most bytes of a long name, and of the pax records on a member.
const MOST_NAME: u64 = 64 << 10;

/// A file in an archive.
#[derive(Debug)]
pub(super) struct Member {
    /// Its path, as it stands in the archive.
    pub(super) name: Vec<u8>,
    pub(super) kind: MemberKind,
    /// Where its bytes begin, right after its header.
    pub(super) at: u64,
    pub(super) size: u64,
    /// CRC32C of its header.
    pub(super) header_crc: u32,
    /// CRC32C of its bytes, if the packer noted it.
    pub(super) data_crc: Option<u32>,
}

/// What is wrong with an archive, and where.
#[derive(Debug)]
pub(super) enum MemberFault {
    Io(io::Error),
    Damaged { at: u64, reason: String },
}

impl From<io::Error> for MemberFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// How an archive ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArchiveEnd {
    /// With the mark that a whole archive has.
    Marked,
    /// After a member and without the mark.
    Unmarked,
    /// Within a member or its header.
    CutOff,
    /// With the mark, and another archive begins here.
    MoreFollows(u64),
}

/// Goes through an archive, and reads the headers only.
pub(super) struct Members<'a> {
    window: Window<'a>,
    len: u64,
    next: u64,
    end: Option<ArchiveEnd>,
}

impl<'a> Members<'a> {
    /// `len` is the file's length.
    pub(super) fn new(file: &'a File, len: u64) -> Self {
        Self { window: Window::new(file), len, next: 0, end: None }
    }

    /// How the archive ends; after the last member.
    pub(super) fn end(&self) -> ArchiveEnd {
        self.end.unwrap_or(ArchiveEnd::CutOff)
    }

    /// Where the next member begins.
    pub(super) fn position(&self) -> u64 {
        self.next
    }

    /// The bytes of a member, which must be few.
    pub(super) fn content(&mut self, member: &Member) -> io::Result<&[u8]> {
        self.window.read(member.at, member.size as usize)
    }

    /// The next member that is neither a folder nor about others; `None` at the end. The last member of an archive that is
    /// cut off goes beyond the file's end.
    pub(super) fn next(&mut self) -> Result<Option<Member>, MemberFault> {
        let (mut long_name, mut pax) = (None, Pax::default());
        while self.end.is_none() {
            let at = self.next;
            let Some(bytes) = self.header()? else { break };
            let damaged = |reason| MemberFault::Damaged { at, reason };
            let mut header = TarHeader::parse(&bytes).map_err(damaged)?;
            if header.kind == MemberKind::File {
                header.size = pax.size.unwrap_or(header.size);
            }
            let start = at + BLOCK as u64;
            let next = header.padded_size().and_then(|size| start.checked_add(size));
            self.next = next.unwrap_or(u64::MAX);
            if self.next > self.len {
                // The padding of the last member may be all that is missing.
                let whole = start.checked_add(header.size).is_some_and(|end| end <= self.len);
                self.end = Some(if whole { ArchiveEnd::Unmarked } else { ArchiveEnd::CutOff });
            }
            match header.kind {
                MemberKind::LongName | MemberKind::Pax if self.end.is_some() => break,
                MemberKind::Note => {}
                MemberKind::Folder => (long_name, pax) = (None, Pax::default()),
                MemberKind::LongName => {
                    let name = self.text(start, header.size).map_err(|fault| fault.at(at))?;
                    long_name =
                        Some(name.split(|&byte| byte == 0).next().unwrap_or_default().to_vec());
                }
                MemberKind::Pax => {
                    let records = self.text(start, header.size).map_err(|fault| fault.at(at))?;
                    pax = Pax::parse(records).map_err(damaged)?;
                }
                kind => {
                    let kind = if pax.sparse { MemberKind::Sparse } else { kind };
                    return Ok(Some(Member {
                        name: pax.path.or(long_name).unwrap_or(header.name),
                        kind,
                        at: start,
                        size: header.size,
                        header_crc: crc32c::crc32c(&bytes),
                        data_crc: header.data_crc,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// The next header; `None` where the archive ends, and then [`end`](Self::end) says how.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>, MemberFault> {
        let zeros = [0; BLOCK];
        let found = self.window.read(self.next, BLOCK)?;
        let Ok(header) = <[u8; BLOCK]>::try_from(found) else {
            let is_end = found.iter().all(|&byte| byte == 0);
            self.end = Some(if is_end { ArchiveEnd::Unmarked } else { ArchiveEnd::CutOff });
            return Ok(None);
        };
        if header != zeros {
            return Ok(Some(header));
        }
        // Two blocks of zeros are the mark. Programs write more, so that the file is a whole number of larger blocks.
        let mut blocks = 1;
        loop {
            let at = self.next + blocks * BLOCK as u64;
            let found = self.window.read(at, BLOCK)?;
            let Ok(block) = <[u8; BLOCK]>::try_from(found) else { break };
            if block != zeros {
                let follows = TarHeader::parse(&block).is_ok();
                self.end =
                    Some(if follows { ArchiveEnd::MoreFollows(at) } else { ArchiveEnd::Marked });
                return Ok(None);
            }
            blocks += 1;
            if blocks > 64 {
                break;
            }
        }
        self.end = Some(if blocks > 1 { ArchiveEnd::Marked } else { ArchiveEnd::Unmarked });
        Ok(None)
    }

    /// The bytes of a long name, or of pax records.
    fn text(&mut self, at: u64, size: u64) -> Result<&[u8], TextFault> {
        if size > MOST_NAME {
            return Err(TextFault::Long(size));
        }
        Ok(self.window.read(at, size as usize)?)
    }
}

/// What is wrong with a long name, or with pax records.
enum TextFault {
    Io(io::Error),
    Long(u64),
}

impl From<io::Error> for TextFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl TextFault {
    fn at(self, at: u64) -> MemberFault {
        match self {
            Self::Io(error) => MemberFault::Io(error),
            Self::Long(size) => {
                let reason = format!(
                    "expected at most {MOST_NAME} bytes of name or pax records, found {size}"
                );
                MemberFault::Damaged { at, reason }
            }
        }
    }
}
