//! The part of a file around where its headers are read.

use std::{fs::File, io};

use super::positioned::read_up_to;
use crate::patience::patiently;

/// Bytes that are read after a jump: a header, the small members that lie beside an image, and the next header.
const LEAST: usize = 4 << 10;
/// Bytes that are read at most at a time, where headers lie so close that no jump pays.
const MOST: usize = 64 << 10;

/// A file that is read in pieces, mostly small ones far apart.
pub(super) struct Window<'a> {
    file: &'a File,
    bytes: Vec<u8>,
    /// Where `bytes` lie.
    at: u64,
}

impl<'a> Window<'a> {
    pub(super) fn new(file: &'a File) -> Self {
        Self { file, bytes: Vec::new(), at: 0 }
    }

    /// `length` bytes at `at`, at most 64 KiB; fewer if the file ends there.
    pub(super) fn read(&mut self, at: u64, length: usize) -> io::Result<&[u8]> {
        let end = self.at + self.bytes.len() as u64;
        let inside = at >= self.at && at.saturating_add(length as u64) <= end;
        if !inside {
            // What lies right behind is read in larger pieces each time.
            let is_near = at >= self.at && at < end.saturating_add(LEAST as u64) && end > 0;
            let size = if is_near { (2 * self.bytes.len()).min(MOST) } else { LEAST };
            let mut bytes = std::mem::take(&mut self.bytes);
            bytes.resize(size.max(length), 0);
            let filled = patiently(|| read_up_to(self.file, &mut bytes, at))?;
            bytes.truncate(filled);
            (self.bytes, self.at) = (bytes, at);
        }
        let start = (at - self.at) as usize;
        let end = self.bytes.len().min(start + length);
        Ok(self.bytes.get(start..end).unwrap_or_default())
    }
}
