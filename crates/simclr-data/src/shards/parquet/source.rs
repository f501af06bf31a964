//! A file, as the `parquet` crate reads it.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    sync::Arc,
};

use bytes::Bytes;
use parquet::{
    errors::{ParquetError, Result},
    file::reader::{ChunkReader, Length},
};

use crate::{
    patience::patiently,
    shards::positioned::{read_exact_at, read_up_to},
};

/// A file that is read at places, never beyond its length: no size in it is trusted with an allocation.
pub(super) struct Source {
    pub(super) file: Arc<File>,
    pub(super) len: u64,
}

impl Source {
    /// `length` bytes at `at`.
    pub(super) fn read(&self, at: u64, length: u64) -> io::Result<Bytes> {
        if at.checked_add(length).is_none_or(|end| end > self.len) {
            return Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "a part of it lies behind its end",
            ));
        }
        let mut bytes = vec![0; length as usize];
        patiently(|| read_exact_at(&self.file, &mut bytes, at))?;
        Ok(bytes.into())
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Source {
    type T = From;

    fn get_read(&self, start: u64) -> Result<From> {
        Ok(From { file: Arc::clone(&self.file), at: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = self.read(start, length as u64);
        bytes.map_err(|error| ParquetError::External(error.into()))
    }
}

/// A file from a place on.
pub(super) struct From {
    file: Arc<File>,
    at: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = patiently(|| read_up_to(&self.file, buffer, self.at))?;
        self.at += read as u64;
        Ok(read)
    }
}
